import type { Cutover, Platform } from '../../api/v1alpha1/index.ts';
import type { Context } from '../context.ts';
import type { Answer, Effect } from './input.ts';

// Stands in until its owner replaces this file.
export const answersOf = async (_context: Context, _cutover: Cutover, _platform: Platform): Promise<Answer[]> => [];
export const pointPreview = async (
  _context: Context,
  _platform: Platform | undefined,
  _effect: Extract<Effect, { do: 'preview' }>,
): Promise<void> => {};
