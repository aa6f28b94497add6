import { assertFile, fileIdentity } from '../../src/oltp/file-identity.js'
import { openHistoryConnection } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'

/** What a task of a history thread opens. */
export interface HistoryFiles {
  readonly path: string
  readonly sourcePath: string
  /** The file that the path of the source must lead to. */
  readonly identity: string | null
}

/**
 * The connection of a thread to the history, one task after the other. It is kept for as long as the thread
 * is, outside of any transaction: what a task has written the next one finds in its memory.
 */
export class TaskConnection {
  #history: SqliteDatabase | null = null
  #isOf = ''

  /** @throws what opening throws; Error when the source is another file by now */
  async use<T>(files: HistoryFiles, task: (history: SqliteDatabase) => T | Promise<T>): Promise<T> {
    const history = await this.#connect(files)
    try {
      assertFile(files.sourcePath, files.identity)
      const result = await task(history)
      if (history.inTransaction) {
        history.exec('rollback')
      }
      return result
    } catch (error) {
      this.#close()
      throw error
    }
  }

  async #connect({ path, sourcePath }: HistoryFiles): Promise<SqliteDatabase> {
    // A path may lead to another file than before.
    const isOf = [path, sourcePath].map((it) => `${it} ${fileIdentity(it)}`).join()
    if (this.#history === null || this.#isOf !== isOf) {
      this.#close()
      this.#history = await openHistoryConnection(path, sourcePath)
      this.#isOf = isOf
    }
    return this.#history
  }

  #close(): void {
    this.#history?.close()
    this.#history = null
  }
}
