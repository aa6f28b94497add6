/** A bar that moves on a terminal; one line for every tenth anywhere else. */
export class ProgressLine {
  #label
  #total
  #startMs = performance.now()
  #tenth = 0

  constructor(label, total) {
    this.#label = label
    this.#total = total
  }

  show(done) {
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total)
    if (process.stdout.isTTY) {
      const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.')
      process.stdout.write(`\r${this.#label} [${bar}] ${this.#figures(share, done)} `)
    } else if (Math.floor(share * 10) > this.#tenth) {
      this.#tenth = Math.floor(share * 10)
      console.log(`${this.#label} ${this.#figures(share, done)}`)
    }
  }

  end() {
    if (process.stdout.isTTY) {
      process.stdout.write('\n')
    }
    return performance.now() - this.#startMs
  }

  #figures(share, done) {
    const seconds = (performance.now() - this.#startMs) / 1000
    const rate = Math.round(done / Math.max(seconds, 0.001))
    return `${Math.floor(share * 100)} %, ${done.toLocaleString('en')} rows, ${rate.toLocaleString('en')} rows/s`
  }
}
