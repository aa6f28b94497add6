import { BufferPool } from './buffer-pool.js'
import { type ChangePart, readChanges } from './change-reader.js'
import { RowReader } from './row-reader.js'
import type { SourceAccess } from './source-access.js'
import {
  type ChangesCall,
  isExpected,
  type MovedPart,
  type RowsCall,
  type RowsPart,
  type SourceReader,
  type StatePart,
} from './source-reader.js'
import { SourceStateReader } from './source-state.js'

/**
 * Reads on the main thread. Changes are read in one turn of the event loop, which is quickest for
 * a few of them and the only way for a database in memory.
 *
 * Rows of a first copy are read one slice a turn, without one snapshot around them: every row that
 * changes meanwhile is in the change log after the position at which the copy began, and is
 * read again with it, so the copy is exact once it has caught up.
 */
export class InlineReader implements SourceReader {
  readonly #access: SourceAccess
  readonly #buffers = new BufferPool()

  constructor(access: SourceAccess) {
    this.#access = access
  }

  async *changes(call: ChangesCall): AsyncGenerator<StatePart | ChangePart, void, void> {
    const parts = await this.#access.read((database) => {
      const state = new SourceStateReader(database).read(call.expected.consumerId, call.places)
      const first: StatePart = { type: 'state', ...state }
      return isExpected(state, call.expected)
        ? [first, ...readChanges(database, call.requests, state.head.position, this.#buffers)]
        : [first]
    })
    yield* parts
  }

  async *rows(call: RowsCall): AsyncGenerator<StatePart | RowsPart | MovedPart, void, void> {
    const { states, state, reader } = await this.#access.read((database) => {
      const states = new SourceStateReader(database)
      const state = states.read(call.expected.consumerId, [])
      const reader = isExpected(state, call.expected)
        ? new RowReader(database, call.plan, this.#buffers)
        : null
      return { states, state, reader }
    })
    yield { type: 'state', ...state }
    while (reader !== null) {
      const slice = await this.#access.read(() =>
        states.schemaVersion() === state.schemaVersion ? reader.read() : 'moved',
      )
      if (slice === 'moved') {
        yield { type: 'moved' }
      }
      if (slice === null || slice === 'moved') {
        return
      }
      yield { type: 'rows', ...slice }
    }
  }
}
