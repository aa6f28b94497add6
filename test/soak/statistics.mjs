/** The value below which a share of all lies; 0 of none. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The slope of a line through points, by least squares, and its standard error. */
export function slope(points) {
  const count = points.length
  if (count < 3) {
    return { value: 0, error: Number.POSITIVE_INFINITY }
  }
  const mean = (index) => points.reduce((sum, it) => sum + it[index], 0) / count
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, it) => sum + (it[0] - x) ** 2, 0)
  const value = points.reduce((sum, it) => sum + (it[0] - x) * (it[1] - y), 0) / spread
  const rest = points.reduce((sum, it) => sum + (it[1] - y - value * (it[0] - x)) ** 2, 0)
  return { value, error: Math.sqrt(rest / (count - 2) / spread) }
}
