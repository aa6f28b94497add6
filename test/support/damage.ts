import { readFileSync, truncateSync, writeFileSync } from 'node:fs'

/** Numbers below a limit, the same ones for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}

/** Turns one bit of a file over. */
export function flipBit(path: string, offset: number, bit: number): void {
  const data = readFileSync(path)
  data[offset]! ^= 1 << bit
  writeFileSync(path, data)
}

/** Cuts a file off. */
export function truncate(path: string, length: number): void {
  truncateSync(path, length)
}

/** Overwrites a piece of a file. */
export function overwrite(path: string, offset: number, length: number, byte: () => number): void {
  const data = readFileSync(path)
  for (let index = offset; index < Math.min(data.length, offset + length); index++) {
    data[index] = byte()
  }
  writeFileSync(path, data)
}

/**
 * Gives a file of DuckDB the mark of another storage version. The first block is its main header: a
 * checksum over the 4088 bytes behind it, "DUCK", the version.
 */
export function setStorageVersion(path: string, version: bigint): void {
  const data = readFileSync(path)
  if (data.readBigUInt64LE(0) !== checksum(data.subarray(8, 4096))) {
    throw new Error('the header is not built as this test believes')
  }
  data.writeBigUInt64LE(version, 12)
  data.writeBigUInt64LE(checksum(data.subarray(8, 4096)), 0)
  writeFileSync(path, data)
}

function checksum(bytes: Buffer): bigint {
  let sum = 5381n
  for (let offset = 0; offset < bytes.length; offset += 8) {
    sum ^= BigInt.asUintN(64, bytes.readBigUInt64LE(offset) * 0xbf58476d1ce4e5b9n)
  }
  return sum
}
