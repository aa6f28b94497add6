import type { ChangePart, ChangeRequest } from './change-reader.js'
import type { TableReadPlan } from './read-plan.js'
import type { RowSlice } from './row-reader.js'
import type { SourceState } from './source-state.js'

/** What the engine takes the source to be; a reader stops early when it is not so. */
export interface ExpectedSource {
  readonly consumerId: string
  readonly schemaVersion: number
  readonly epoch: string
}

export interface ChangesCall {
  readonly expected: ExpectedSource
  readonly requests: readonly ChangeRequest[]
}

export interface RowsCall {
  readonly expected: ExpectedSource
  readonly plan: TableReadPlan
}

export type StatePart = { readonly type: 'state' } & SourceState
export type RowsPart = { readonly type: 'rows' } & RowSlice

/**
 * Reads SQLite for the mirror. The first part of a stream is the state of its snapshot; when
 * that is not the expected one, nothing follows. Buffers of a part belong to the reader again as
 * soon as the next part is asked for.
 */
export interface SourceReader {
  changes(call: ChangesCall): AsyncGenerator<StatePart | ChangePart, void, void>
  rows(call: RowsCall): AsyncGenerator<StatePart | RowsPart, void, void>
}

/** The two ways to read one source. */
export interface SourceReaders {
  readonly inline: SourceReader
  /** Keeps the event loop free; null where no second connection can read beside the first. */
  readonly worker: (SourceReader & { close(): Promise<void> }) | null
}

export function isExpected(state: SourceState, expected: ExpectedSource): boolean {
  return (
    state.schemaVersion === expected.schemaVersion &&
    state.epoch === expected.epoch &&
    state.consumerPosition !== null
  )
}
