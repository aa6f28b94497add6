/** SQLite's storage classes as bits of `ColumnProfile.classes`. */
export const storageClass = Object.freeze({ integer: 1, real: 2, text: 4, blob: 8, null: 16 })

/**
 * What has ever been seen in a column. Monotone: bits are only added until the table is
 * copied anew, so a fact that the translator relied on can only be lost, never regained.
 */
export interface ColumnProfile {
  /** Bits of `storageClass`. */
  readonly classes: number
  /** An integer beyond +-(2^53 - 1) was seen. */
  readonly hasHugeInteger: boolean
  /**
   * No finite |real| seen is larger; 0 if none was seen. Rounded up to a power of two, so that a
   * slowly growing column does not have a new profile with every row.
   */
  readonly realAbsMax: number
  /** No |real| seen but 0 is smaller; 0 if none was seen. Rounded down to a power of two. */
  readonly realAbsMin: number
  /** +Infinity or -Infinity was seen (SQLite stores no NaN). */
  readonly hasInfinity: boolean
  readonly hasNonAscii: boolean
  /** A text holds a NUL or U+FFFD (possibly invalid UTF-8): no text operation is proven. */
  readonly hasDoubtfulText: boolean
}

export const emptyColumnProfile: ColumnProfile = Object.freeze({
  classes: 0,
  hasHugeInteger: false,
  realAbsMax: 0,
  realAbsMin: 0,
  hasInfinity: false,
  hasNonAscii: false,
  hasDoubtfulText: false,
})

export function mergeColumnProfiles(a: ColumnProfile, b: ColumnProfile): ColumnProfile {
  return Object.freeze({
    classes: a.classes | b.classes,
    hasHugeInteger: a.hasHugeInteger || b.hasHugeInteger,
    realAbsMax: Math.max(a.realAbsMax, b.realAbsMax),
    realAbsMin: smallestButZero(a.realAbsMin, b.realAbsMin),
    hasInfinity: a.hasInfinity || b.hasInfinity,
    hasNonAscii: a.hasNonAscii || b.hasNonAscii,
    hasDoubtfulText: a.hasDoubtfulText || b.hasDoubtfulText,
  })
}

export function equalColumnProfiles(a: ColumnProfile, b: ColumnProfile): boolean {
  return (
    a.classes === b.classes &&
    a.hasHugeInteger === b.hasHugeInteger &&
    a.realAbsMax === b.realAbsMax &&
    a.realAbsMin === b.realAbsMin &&
    a.hasInfinity === b.hasInfinity &&
    a.hasNonAscii === b.hasNonAscii &&
    a.hasDoubtfulText === b.hasDoubtfulText
  )
}

function smallestButZero(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b)
}
