/**
 * Whether both engines hold a text alike and their functions read all of it: without NUL, at which
 * SQLite's functions end, and without half a surrogate pair, which UTF-8 cannot write.
 */
export function isPlainText(text: string): boolean {
  return !doubtful.test(text)
}

const doubtful = /[\0\p{Surrogate}]/u
