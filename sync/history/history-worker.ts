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

/** A connection per task: a closed one holds no file and no snapshot. */
export async function move(task: MoveTask): Promise<MovedChanges> {
  const { path, sourcePath, identity, request } = task
  const history = await openHistoryConnection(path, sourcePath)
  try {
    assertFile(sourcePath, identity)
    return moveChanges(history, request)
  } finally {
    history.close()
  }
}
