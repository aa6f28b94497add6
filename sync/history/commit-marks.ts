import { assert } from '../../src/core/assert.js'

/**
 * The ends of the transactions that this process has seen, as positions of the source's log. What
 * lies between two of them counts as one transaction; so no transaction is ever torn, and those that
 * nobody watched are seen as one.
 */
export class CommitMarks {
  #marks: number[] = []

  /** The log's newest `seq` outside of any transaction. */
  note(seq: number): void {
    const last = this.#marks.at(-1) ?? 0
    if (seq < last) {
      // The database was set back: what was seen before says nothing of the log that is there now.
      this.#marks = []
    }
    if (seq !== last) {
      this.#marks.push(seq)
    }
  }

  /** All that lie beyond `seq`, in their order. */
  after(seq: number): readonly number[] {
    return this.#marks.filter((mark) => mark > seq)
  }

  /** What lies up to `seq` has been moved. */
  forget(seq: number): void {
    this.#marks = this.after(seq) as number[]
    assert(
      this.#marks.every((mark) => mark > seq),
      'marks that are forgotten are gone',
    )
  }
}
