import { type CarriedError, carryError } from '../../src/core/carried-error.js'
import { assertFile } from '../../src/oltp/file-identity.js'
import { openHistoryConnection } from '../../src/oltp/open-history-connection.js'
import { type MovedChanges, type MoveRequest, moveChanges } from './move-changes.js'

/** The worker thread of the history. */

export interface MoveTask {
  readonly path: string
  readonly sourcePath: string
  /** The file that the path of the source must lead to. */
  readonly identity: string | null
  readonly request: MoveRequest
}

export type MoveOutcome = { readonly moved: MovedChanges } | { readonly error: CarriedError }

export async function move(task: MoveTask): Promise<MoveOutcome> {
  try {
    return { moved: await moveInThread(task) }
  } catch (error) {
    return { error: carryError(error) }
  }
}

/** A connection per task: a closed one holds no file and no snapshot. */
async function moveInThread({
  path,
  sourcePath,
  identity,
  request,
}: MoveTask): Promise<MovedChanges> {
  const history = await openHistoryConnection(path, sourcePath)
  try {
    assertFile(sourcePath, identity)
    return moveChanges(history, request)
  } finally {
    history.close()
  }
}
