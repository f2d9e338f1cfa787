/** Thrown for what the user ended; it needs no words. */
export class Interrupted extends Error {}
