import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const allFlights = 3_000_000

/** What the command line asks for: `--fresh`, `--rows N`, `--rounds N`, `--folder PATH`. */
export function readDemoOptions(argv = process.argv.slice(2)) {
  const { values } = parseArgs({
    args: argv,
    options: {
      fresh: { type: 'boolean', default: false },
      rows: { type: 'string', default: String(allFlights) },
      rounds: { type: 'string', default: '300' },
      folder: { type: 'string', default: fileURLToPath(new URL('../../.data/', import.meta.url)) },
    },
  })
  return Object.freeze({
    isFresh: values.fresh,
    rows: Math.min(allFlights, positive('rows', values.rows)),
    rounds: positive('rounds', values.rounds),
    folder: values.folder,
    threads: availableParallelism(),
  })
}

function positive(name, text) {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`--${name} takes a positive whole number, not ${text}`)
  }
  return value
}
