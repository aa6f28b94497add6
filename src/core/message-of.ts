/** What an error says; anything can be thrown, and what crossed threads is an error no more. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
