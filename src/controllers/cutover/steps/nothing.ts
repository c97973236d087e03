/** The undo of a step that changes nothing that would have to be taken back. */
export const nothing = (): undefined => undefined;
