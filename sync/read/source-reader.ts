import type { LogPlace } from '../capture/log-place.js'
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
  /** Where the copies stand in the log; it must lead on from all of them. */
  readonly places: readonly LogPlace[]
  readonly requests: readonly ChangeRequest[]
}

export interface RowsCall {
  readonly expected: ExpectedSource
  readonly plan: TableReadPlan
}

export type StatePart = { readonly type: 'state' } & SourceState
export type RowsPart = { readonly type: 'rows' } & RowSlice

/** The schema has changed under a reader that has no snapshot; nothing follows. */
export interface MovedPart {
  readonly type: 'moved'
}

/**
 * Reads SQLite for the mirror. The first part of a stream is the state of its snapshot; when
 * that is not the expected one, nothing follows. Buffers of a part belong to the reader again as
 * soon as the next part is asked for.
 */
export interface SourceReader {
  changes(call: ChangesCall): AsyncGenerator<StatePart | ChangePart, void, void>
  rows(call: RowsCall): AsyncGenerator<StatePart | RowsPart | MovedPart, void, void>
}

/** The two ways to read one source. */
export interface SourceReaders {
  readonly inline: SourceReader
  /** Keeps the event loop free; null where no second connection can read beside the first. */
  readonly worker: (SourceReader & { close(): Promise<void> }) | null
}

/** A state from which a copy can go on. */
export type ExpectedState = SourceState & { readonly head: LogPlace }

export function isExpected<State extends SourceState>(
  state: State,
  expected: ExpectedSource,
): state is State & ExpectedState {
  return (
    state.head !== null &&
    state.schemaVersion === expected.schemaVersion &&
    state.epoch === expected.epoch &&
    state.consumerPosition !== null &&
    state.lostPositions.length === 0
  )
}
