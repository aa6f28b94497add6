/** Milliseconds that an action takes. */
export async function timed(action) {
  const startMs = performance.now()
  await action()
  return performance.now() - startMs
}

/**
 * Processor time of an action that computes and does not wait, in milliseconds: unlike the clock
 * it does not count what other processes take.
 */
export async function computed(action) {
  const before = process.cpuUsage()
  await action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/**
 * Times several sides in turns, so that all see the same noise; every other round goes the other
 * way round.
 *
 * @param sides names and actions; an action may return milliseconds that it measured itself
 * @returns for each side its times, by round
 */
export async function alternate(rounds, sides) {
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]))
  const entries = Object.entries(sides)
  for (let round = 0; round < rounds; round++) {
    for (const [name, action] of round % 2 === 0 ? entries : entries.toReversed()) {
      let own
      const ms = await timed(async () => {
        own = await action(round)
      })
      times[name].push(typeof own === 'number' ? own : ms)
    }
  }
  return times
}

export function median(values) {
  return quantile(values, 0.5)
}

export function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]
}

/** The median of the rounds' own ratios: a disturbed round counts for one round. */
export function ratio(ours, theirs) {
  return median(ours.map((ms, round) => ms / theirs[round]))
}

/** A figure that has to stay at or below its bound. */
export function atMost(bound, what, value, figures) {
  return Object.freeze({ what, value, bound, sign: '<=', isMet: value <= bound, figures })
}

/** A figure that has to reach its bound. */
export function atLeast(bound, what, value, figures) {
  return Object.freeze({ what, value, bound, sign: '>=', isMet: value >= bound, figures })
}

/** A figure without a bound. */
export function noted(what, value, figures) {
  return Object.freeze({ what, value, bound: null, sign: '', isMet: true, figures })
}

export function us(ms, count = 1) {
  return `${((ms * 1000) / count).toFixed(2)} us`
}

export function rate(rows, ms) {
  return `${Math.round((rows / ms) * 1000).toLocaleString('en')} rows/s`
}
