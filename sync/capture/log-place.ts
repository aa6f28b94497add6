/**
 * A position of the change log together with the random mark of its row. After a restored backup or
 * lost commits positions are given out again; a place never is, so it tells one history from another.
 */
export interface LogPlace {
  readonly position: number
  readonly mark: bigint
}

export function isSamePlace(a: LogPlace, b: LogPlace | null): boolean {
  return b !== null && a.position === b.position && a.mark === b.mark
}

/**
 * True when a log whose newest place is `head` cannot have led to `place`, which somebody has read
 * from it before. False proves nothing where `head` lies beyond.
 */
export function isGone(place: LogPlace, head: LogPlace | null): boolean {
  return (
    head === null ||
    head.position < place.position ||
    (head.position === place.position && head.mark !== place.mark)
  )
}
