import type { ColumnBatch, ColumnKind } from '../core/column-batch.js'
import type { OlapValue, OlapWriter } from './olap-store.js'

/**
 * Writes and reads a few telling values through the path that copies memory. That path rests
 * on the engine's inner layout, which no interface promises.
 *
 * @returns whether every value came back
 */
export async function selfTestAppender(writer: OlapWriter): Promise<boolean> {
  const kinds: readonly ColumnKind[] = ['int64', 'float64', 'utf8', 'binary']
  await writer.execute(
    `create or replace temp table ${tableName} (i bigint, f double, t varchar, b blob)`,
  )
  try {
    const appender = await writer.appender(
      { catalog: 'temp', schema: 'main', table: tableName },
      kinds,
    )
    // Twice, because a reused chunk must not show anything of its former values.
    appender.append(batchOf(samples))
    appender.append(batchOf([...samples].reverse()))
    appender.close()
    const found = await writer.values(`select * from ${tableName}`)
    const expected = [...samples, ...[...samples].reverse()]
    return (
      found.length === expected.length &&
      found.every((row, index) => row.every((value, at) => same(value, expected[index]?.[at])))
    )
  } catch {
    return false
  } finally {
    await writer.execute(`drop table if exists ${tableName}`)
  }
}

const tableName = 'kysely_htap_self_test'

type Sample = readonly [bigint | null, number | null, string | null, Uint8Array | null]

const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 37) & 255)

const samples: readonly Sample[] = [
  [0n, 0, '', bytes(0)],
  [null, null, null, null],
  [-(2n ** 63n), Number.MIN_VALUE, 'twelve bytes', bytes(12)],
  [2n ** 63n - 1n, -Number.MAX_VALUE, 'thirteen byte', bytes(13)],
  [-1n, Number.POSITIVE_INFINITY, 'a\u0000b', bytes(1)],
  [2n ** 53n + 1n, Number.EPSILON, '\u00e4\u20ac\u{1f600} and the rest of it', bytes(300)],
  [7n, 0.1, 'a\u0000long text with a NUL in it', bytes(4)],
  [null, 1.5, 'x'.repeat(5000), null],
]

function batchOf(rows: readonly Sample[]): ColumnBatch {
  const encoder = new TextEncoder()
  const texts = rows.map(([, , text]) => (text === null ? null : encoder.encode(text)))
  return {
    rowCount: rows.length,
    columns: [
      {
        kind: 'int64',
        ...validityOf(rows.map(([value]) => value)),
        values: BigInt64Array.from(rows, ([value]) => value ?? 0n),
      },
      {
        kind: 'float64',
        ...validityOf(rows.map(([, value]) => value)),
        values: Float64Array.from(rows, ([, value]) => value ?? 0),
      },
      { kind: 'utf8', ...validityOf(texts), ...joined(texts) },
      {
        kind: 'binary',
        ...validityOf(rows.map(([, , , value]) => value)),
        ...joined(rows.map(([, , , value]) => value)),
      },
    ],
  }
}

function validityOf(values: readonly unknown[]): { nullCount: number; validity: Uint8Array } {
  const validity = new Uint8Array(Math.ceil(values.length / 64) * 8)
  values.forEach((value, row) => {
    if (value !== null) {
      validity[row >> 3] = (validity[row >> 3] ?? 0) | (1 << (row & 7))
    }
  })
  return { nullCount: values.filter((value) => value === null).length, validity }
}

function joined(values: readonly (Uint8Array | null)[]): {
  offsets: Int32Array
  data: Uint8Array
} {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, row) => {
    offsets[row + 1] = (offsets[row] ?? 0) + (value?.length ?? 0)
  })
  return { offsets, data: Buffer.concat(values.filter((value) => value !== null)) }
}

function same(found: OlapValue | undefined, expected: OlapValue | undefined): boolean {
  return found instanceof Uint8Array && expected instanceof Uint8Array
    ? Buffer.compare(found, expected) === 0
    : Object.is(found, expected)
}
