import type { Table as ArrowTable, Data, DataType } from 'apache-arrow'
import { assert } from '../core/assert.js'
import type { DuckDb, Result, Vector } from './duckdb-bindings.js'
import { expectColumns, resultChunks, resultTypes } from './result-reader.js'
import { readStrings } from './string-vector.js'
import { columnDecoder, notANumber } from './vector-decoder.js'
import { alignedCopy, isNull, readValidity } from './vector-memory.js'

/**
 * Reads a result as an Arrow table, column by column from the engine's memory: Arrow's own
 * builders would take five times as long. Integers and booleans are Int64, as SQLite has one
 * integer type. Of columns with equal names the last one stands, as in row objects.
 *
 * @param checkGoing throws when the reading shall stop
 * @throws HtapError `olap-result-unexpected`
 */
export async function readArrowTable(
  duckdb: DuckDb,
  result: Result,
  names: readonly string[],
  checkGoing: () => void,
): Promise<ArrowTable> {
  const arrow = await import('apache-arrow')
  const types = resultTypes(duckdb, result)
  expectColumns(types.length, names.length)
  // A column that a later one hides is not read, but its type must be right all the same.
  const columns = types.map((type) => arrowColumn(duckdb, arrow, type))
  const positions = new Map(names.map((name, position) => [name, position]))
  const shown = [...positions].flatMap(([name, position]) => {
    const column = columns[position]
    return column === undefined ? [] : [{ name, position, column }]
  })
  const schema = new arrow.Schema(
    shown.map(({ name, column }) => new arrow.Field(name, column.type, true)),
  )
  const batches = []
  for await (const { rowCount, vectors } of resultChunks(duckdb, result)) {
    checkGoing()
    const children = shown.flatMap(({ column, position }) => {
      const vector = vectors[position]
      return vector === undefined ? [] : [column.read(vector, rowCount)]
    })
    const struct = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: rowCount,
      nullCount: 0,
      children,
    })
    batches.push(new arrow.RecordBatch(schema, struct))
  }
  return new arrow.Table(schema, batches)
}

type Arrow = typeof import('apache-arrow')

interface ArrowColumn {
  readonly type: DataType
  readonly read: (vector: Vector, rowCount: number) => Data
}

function arrowColumn(duckdb: DuckDb, arrow: Arrow, type: number): ArrowColumn {
  const { Type } = duckdb
  switch (type) {
    case Type.DOUBLE:
      return doubleColumn(duckdb, arrow)
    case Type.BIGINT:
      return bigintColumn(duckdb, arrow)
    case Type.VARCHAR:
      return stringColumn(duckdb, arrow, new arrow.Utf8())
    case Type.BLOB:
      return stringColumn(duckdb, arrow, new arrow.Binary())
    case Type.SQLNULL: {
      const none = new arrow.Null()
      return { type: none, read: (_, length) => arrow.makeData({ type: none, length }) }
    }
    default:
      return otherIntegerColumn(duckdb, arrow, type)
  }
}

function doubleColumn(duckdb: DuckDb, arrow: Arrow): ArrowColumn {
  const type = new arrow.Float64()
  const read = (vector: Vector, length: number): Data => {
    const data = new Float64Array(alignedCopy(duckdb, vector, length * 8), 0, length)
    const validity = readValidity(duckdb, vector, length)
    for (let row = 0; row < length; row++) {
      if (Number.isNaN(data[row]) && !(validity !== null && isNull(validity, row))) {
        throw notANumber()
      }
    }
    return arrow.makeData({ type, length, data, ...nulls(validity) })
  }
  return { type, read }
}

function bigintColumn(duckdb: DuckDb, arrow: Arrow): ArrowColumn {
  const type = new arrow.Int64()
  const read = (vector: Vector, length: number): Data => {
    const data = new BigInt64Array(alignedCopy(duckdb, vector, length * 8), 0, length)
    return arrow.makeData({ type, length, data, ...nulls(readValidity(duckdb, vector, length)) })
  }
  return { type, read }
}

function otherIntegerColumn(duckdb: DuckDb, arrow: Arrow, duckdbType: number): ArrowColumn {
  const type = new arrow.Int64()
  const decode = columnDecoder(duckdb, duckdbType, 'bigint')
  const read = (vector: Vector, length: number): Data => {
    const values = decode(vector, length)
    const data = BigInt64Array.from(values, (value) => (typeof value === 'bigint' ? value : 0n))
    return arrow.makeData({ type, length, data, ...nulls(readValidity(duckdb, vector, length)) })
  }
  return { type, read }
}

function stringColumn(duckdb: DuckDb, arrow: Arrow, type: DataType): ArrowColumn {
  const read = (vector: Vector, length: number): Data => {
    const parts = readStrings(duckdb, vector, length, (bytes, start, end) =>
      bytes.subarray(start, end),
    )
    const valueOffsets = new Int32Array(length + 1)
    let total = 0
    parts.forEach((part, row) => {
      total += part?.length ?? 0
      valueOffsets[row + 1] = total
    })
    const data = new Uint8Array(total)
    parts.forEach((part, row) => {
      if (part !== null) {
        data.set(part, valueOffsets[row])
      }
    })
    const nullBitmap = readValidity(duckdb, vector, length)
    return makeStringData(arrow, type, { length, valueOffsets, data, nullBitmap })
  }
  return { type, read }
}

interface StringParts {
  readonly length: number
  readonly valueOffsets: Int32Array
  readonly data: Uint8Array
  readonly nullBitmap: Uint8Array | null
}

function makeStringData(arrow: Arrow, type: DataType, parts: StringParts): Data {
  if (arrow.DataType.isUtf8(type)) {
    return arrow.makeData({ type, ...parts, ...nulls(parts.nullBitmap) })
  }
  assert(arrow.DataType.isBinary(type), 'strings are text or bytes')
  return arrow.makeData({ type, ...parts, ...nulls(parts.nullBitmap) })
}

/** Arrow counts the nulls itself, when it is told that there may be some. */
function nulls(nullBitmap: Uint8Array | null): {
  nullBitmap: Uint8Array | null
  nullCount: number
} {
  return { nullBitmap, nullCount: nullBitmap === null ? 0 : -1 }
}
