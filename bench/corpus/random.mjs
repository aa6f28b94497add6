/** Numbers that are the same in every run, so that a row that differs can be looked at again. */
export class Random {
  #state

  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** At least 0 and below 1. */
  next() {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from `least` to `most`, both included. */
  integer(least, most) {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** An amount with two digits after the point. */
  money(least, most) {
    return this.integer(Math.round(least * 100), Math.round(most * 100)) / 100
  }

  pick(values) {
    return values[this.integer(0, values.length - 1)]
  }

  /** True with this probability. */
  chance(probability) {
    return this.next() < probability
  }

  /** So many different ones of the values, in an order of their own. */
  sample(count, values) {
    const rest = [...values]
    return Array.from({ length: Math.min(count, rest.length) }, () => {
      return rest.splice(this.integer(0, rest.length - 1), 1)[0]
    })
  }
}
