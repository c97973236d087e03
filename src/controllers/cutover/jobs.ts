import type { Cutover, Platform } from '../../api/v1alpha1/index.ts';
import type { Context } from '../context.ts';
import type { CutoverInput, Effect, JobView } from './input.ts';

// Stands in until its owner replaces this file.
export const jobViewsOf = async (_context: Context, _cutover: Cutover, _platform: Platform): Promise<JobView[]> => [];
export const startJob = async (
  _context: Context,
  _input: Pick<CutoverInput, 'cutover' | 'platform'>,
  _effect: Extract<Effect, { do: 'startJob' }>,
): Promise<void> => {};
