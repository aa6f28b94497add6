import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'

/** Three million flights of the first half of 2001, in the order of their departure. */
const flightsFile = sourceFile('flights-3m.parquet')
const airportsFile = sourceFile('airports.csv')

/** Reads the flights in chunks of about two thousand: `[departure, delay, distance, origin, destination]`. */
export async function* readFlights(rowsMax) {
  yield* readChunks(`
    select strftime(date, '%Y-%m-%d %H:%M'), delay, distance, origin, destination
    from read_parquet('${flightsFile}')
    limit ${rowsMax}`)
}

/** Reads all airports: `[iata, name, city, state, latitude, longitude]`. */
export async function readAirports() {
  const airports = []
  const columns = 'iata, name, city, state, latitude, longitude'
  for await (const rows of readChunks(`select ${columns} from read_csv('${airportsFile}')`)) {
    airports.push(...rows)
  }
  return airports
}

async function* readChunks(sql) {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) {
        return
      }
      yield chunk.getRows().map((row) => row.map(asSqliteValue))
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function asSqliteValue(value) {
  return typeof value === 'bigint' ? Number(value) : value
}

function sourceFile(name) {
  const entry = import.meta.resolve('vega-datasets')
  return fileURLToPath(new URL(`../data/${name}`, entry)).replaceAll("'", "''")
}
