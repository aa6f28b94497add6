import type { ColumnKind, ColumnVector } from '../../src/core/column-batch.js'
import { type ColumnProfile, storageClass } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import type { BufferPool } from './buffer-pool.js'

const validityBytes = limits.batchRowsMax / 8
const dataBytesMin = 65_536
/** Texts up to this length are copied letter by letter, which beats a call into native code. */
const shortTextLength = 24

/** Encodes one column of a batch and profiles its values. */
export class ColumnEncoder {
  readonly #kind: ColumnKind
  readonly #buffers: BufferPool
  #integers: BigInt64Array = new BigInt64Array(0)
  #reals: Float64Array = new Float64Array(0)
  #offsets: Int32Array = new Int32Array(0)
  #data: Buffer = Buffer.alloc(0)
  #validity: Uint8Array = new Uint8Array(0)
  #dataLength = 0
  #nullCount = 0
  #started = false

  #classes = 0
  #hasHugeInteger = false
  #realAbsMax = 0
  #realAbsMin = Number.POSITIVE_INFINITY
  #hasInfinity = false
  #hasNonAscii = false
  #hasDoubtfulText = false

  constructor(kind: ColumnKind, buffers: BufferPool) {
    this.#kind = kind
    this.#buffers = buffers
  }

  add(index: number, value: unknown): void {
    if (!this.#started) {
      this.#start()
    }
    this.#put(index, value)
  }

  /** Fills a batch that has not begun. */
  addAll(rows: readonly (readonly unknown[])[], column: number): void {
    this.#start()
    for (let row = 0; row < rows.length; row++) {
      this.#put(row, rows[row]?.[column])
    }
  }

  /** At least one value must have been added. */
  finish(rowCount: number): ColumnVector {
    this.#started = false
    const nullCount = this.#nullCount
    const validity = nullCount === 0 ? null : this.#validity
    if (validity === null) {
      this.#buffers.give(this.#validity.buffer as ArrayBuffer)
    }
    switch (this.#kind) {
      case 'int64':
        return { kind: 'int64', nullCount, validity, values: this.#integers }
      case 'float64':
        return { kind: 'float64', nullCount, validity, values: this.#reals }
      case 'utf8':
      case 'binary': {
        const data = new Uint8Array(this.#data.buffer, 0, this.#dataLength)
        if (this.#kind === 'utf8') {
          this.#inspectText(data)
        }
        return {
          kind: this.#kind,
          nullCount,
          validity,
          offsets: this.#offsets.subarray(0, rowCount + 1),
          data,
        }
      }
    }
  }

  takeProfile(): ColumnProfile {
    const profile: ColumnProfile = {
      classes: this.#classes,
      hasHugeInteger: this.#hasHugeInteger,
      realAbsMax: this.#realAbsMax === 0 ? 0 : powerOfTwo(Math.ceil, this.#realAbsMax),
      realAbsMin:
        this.#realAbsMin === Number.POSITIVE_INFINITY
          ? 0
          : powerOfTwo(Math.floor, this.#realAbsMin),
      hasInfinity: this.#hasInfinity,
      hasNonAscii: this.#hasNonAscii,
      hasDoubtfulText: this.#hasDoubtfulText,
    }
    this.#classes = 0
    this.#hasHugeInteger = false
    this.#realAbsMax = 0
    this.#realAbsMin = Number.POSITIVE_INFINITY
    this.#hasInfinity = false
    this.#hasNonAscii = false
    this.#hasDoubtfulText = false
    return profile
  }

  #start(): void {
    this.#started = true
    this.#nullCount = 0
    this.#dataLength = 0
    this.#validity = new Uint8Array(this.#buffers.take(validityBytes)).fill(255)
    switch (this.#kind) {
      case 'int64':
        this.#integers = new BigInt64Array(this.#buffers.take(limits.batchRowsMax * 8))
        break
      case 'float64':
        this.#reals = new Float64Array(this.#buffers.take(limits.batchRowsMax * 8))
        break
      case 'utf8':
      case 'binary':
        this.#offsets = new Int32Array(this.#buffers.take((limits.batchRowsMax + 1) * 4))
        this.#offsets[0] = 0
        this.#data = Buffer.from(this.#buffers.take(dataBytesMin))
        break
    }
  }

  #put(index: number, value: unknown): void {
    switch (this.#kind) {
      case 'int64':
        this.#putInteger(index, value)
        break
      case 'float64':
        this.#putReal(index, value)
        break
      case 'utf8':
        this.#putText(index, value)
        break
      case 'binary':
        this.#putBlob(index, value)
        break
    }
  }

  #putInteger(index: number, value: unknown): void {
    if (typeof value === 'bigint') {
      this.#integers[index] = value
      this.#classes |= storageClass.integer
      if (value > 9007199254740991n || value < -9007199254740991n) {
        this.#hasHugeInteger = true
      }
      return
    }
    this.#integers[index] = 0n
    this.#putNull(index, value)
  }

  #putReal(index: number, value: unknown): void {
    if (typeof value === 'number') {
      this.#reals[index] = value
      this.#noteReal(value)
      return
    }
    if (typeof value === 'bigint') {
      // An integer in a column of reals: exact up to 2^53, and beyond it the profile says so.
      const real = Number(value)
      this.#reals[index] = real
      this.#classes |= storageClass.integer
      this.#noteSize(Math.abs(real))
      if (!Number.isSafeInteger(real)) {
        this.#hasHugeInteger = true
      }
      return
    }
    this.#reals[index] = 0
    this.#putNull(index, value)
  }

  #noteReal(value: number): void {
    this.#classes |= storageClass.real
    const size = Math.abs(value)
    if (size === Number.POSITIVE_INFINITY) {
      this.#hasInfinity = true
    } else {
      this.#noteSize(size)
    }
  }

  #noteSize(size: number): void {
    if (size > this.#realAbsMax) {
      this.#realAbsMax = size
    }
    if (size < this.#realAbsMin && size !== 0) {
      this.#realAbsMin = size
    }
  }

  #putText(index: number, value: unknown): void {
    if (typeof value === 'string') {
      this.#classes |= storageClass.text
      this.#appendText(value)
    } else {
      this.#putNull(index, value)
    }
    this.#offsets[index + 1] = this.#dataLength
  }

  #appendText(text: string): void {
    const length = text.length
    this.#reserve(length * 3)
    const data = this.#data
    const start = this.#dataLength
    if (length <= shortTextLength) {
      let index = 0
      for (; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code > 127) {
          break
        }
        data[start + index] = code
      }
      if (index === length) {
        this.#dataLength = start + length
        return
      }
    }
    const written = data.write(text, start, 'utf8')
    if (written !== length) {
      this.#hasNonAscii = true
    }
    this.#dataLength = start + written
  }

  #putBlob(index: number, value: unknown): void {
    if (value instanceof Uint8Array) {
      this.#classes |= storageClass.blob
      this.#reserve(value.byteLength)
      this.#data.set(value, this.#dataLength)
      this.#dataLength += value.byteLength
    } else {
      this.#putNull(index, value)
    }
    this.#offsets[index + 1] = this.#dataLength
  }

  /** Null, or a value of a class that this column cannot store. */
  #putNull(index: number, value: unknown): void {
    this.#nullCount++
    const byte = index >> 3
    this.#validity[byte] = (this.#validity[byte] as number) & ~(1 << (index & 7))
    if (value === null || value === undefined) {
      this.#classes |= storageClass.null
    } else if (typeof value === 'bigint') {
      this.#classes |= storageClass.integer
      if (value > 9007199254740991n || value < -9007199254740991n) {
        this.#hasHugeInteger = true
      }
    } else if (typeof value === 'number') {
      this.#noteReal(value)
    } else if (typeof value === 'string') {
      this.#classes |= storageClass.text
    } else {
      this.#classes |= storageClass.blob
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#dataLength + bytes
    if (needed <= this.#data.length) {
      return
    }
    // A power of two, so that the pool finds grown buffers again.
    let size = this.#data.length * 2
    while (size < needed) {
      size *= 2
    }
    const grown = Buffer.from(this.#buffers.take(size))
    grown.set(this.#data.subarray(0, this.#dataLength))
    this.#buffers.give(this.#data.buffer as ArrayBuffer)
    this.#data = grown
  }

  /** One native search per batch is cheaper than a look at every text. */
  #inspectText(data: Uint8Array): void {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    if (bytes.includes(0) || (this.#hasNonAscii && bytes.includes('\ufffd'))) {
      this.#hasDoubtfulText = true
    }
  }
}

/** The next power of two above or below; the largest finite double has none above it. */
function powerOfTwo(round: (exponent: number) => number, size: number): number {
  const power = 2 ** round(Math.log2(size))
  const isRight = round === Math.ceil ? power >= size : power <= size && power > 0
  return isRight && Number.isFinite(power) ? power : size
}
