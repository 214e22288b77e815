/** A mistake that somebody could make, as a patch of the source, and the test file that must not let it pass. */
export interface PlantedBug {
  readonly name: string
  /** From the root of the project. */
  readonly file: string
  /** Each text must stand in the file exactly once. */
  readonly edits: readonly Edit[]
  readonly caughtBy: string
}

/** A text of the source, and what stands there instead. */
export interface Edit {
  readonly find: string
  readonly replace: string
}

/** Short for a list of them. */
export function edit(find: string, replace: string): Edit {
  return { find, replace }
}
