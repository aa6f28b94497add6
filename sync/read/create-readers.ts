import { InlineReader } from './inline-reader.js'
import type { SourceAccess } from './source-access.js'
import type { SourceReaders } from './source-reader.js'
import { WorkerReader } from './worker-reader.js'

/** The ways in which a source can be read. */
export function createReaders(access: SourceAccess): SourceReaders {
  const inline = new InlineReader(access)
  const { workerPath } = access
  return { inline, worker: workerPath === null ? null : new WorkerReader(workerPath, inline) }
}
