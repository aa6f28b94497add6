import type { SetAsideReport } from './mirror-file.js'

/** How the sync engine works; everything is decided by the caller, nothing by a default here. */
export interface SyncOptions {
  /** Where the copy lives: a path, or ':memory:'. */
  readonly olapPath: string
  /** Who answers while somebody else holds that path: SQLite, or a copy of our own in memory. */
  readonly whenLocked: 'sqlite' | 'memory'
  /** Permission bits for the copy's files; null for those that the process gives to new files. */
  readonly fileMode: number | null
  readonly memoryLimit: string
  readonly threads: number
  readonly tables: 'auto' | readonly string[]
  /** How often commits of other processes are looked for. */
  readonly intervalMs: number
  /** Rows that the change log may have; a mirror that needs older ones is made anew. */
  readonly logRowsMax: number
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  /** A mirror's file could not be used, and another one was begun. */
  readonly onSetAside?: ((report: SetAsideReport) => void) | undefined
  /** Sees failures of the background work; they change no answer. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** How the first copy of a table gets on. */
export interface CopyProgress {
  readonly table: string
  readonly rows: number
  /** An estimate from the key range; null where none is cheap. */
  readonly rowsTotal: number | null
  readonly rowsPerSecond: number
  readonly remainingMs: number | null
  readonly done: boolean
}
