import type { GeneratorSettings } from './settings.ts'
import type { Shape } from './shape.ts'

/** How a source system's traffic looks: what its events are like on the wire, and how many there are. */
export interface Profile {
  readonly shape: Shape
  /** What differs from the generator's defaults. */
  readonly settings: Partial<GeneratorSettings>
  /** Events after which it ends by itself; goes on for ever without. */
  readonly rows?: number
}
