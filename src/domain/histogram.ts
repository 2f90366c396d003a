/** Counts of observations by size, kept so cheaply that the hot path can afford it. */
export interface Histogram {
  /** Upper bounds, ascending; above the last there is one more bucket. */
  readonly bounds: readonly number[]
  /** Observations of each bucket alone, one more than there are bounds. */
  readonly counts: Float64Array
  sum: number
}

export function createHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 }
}

/** Allocates nothing. */
export function observe(histogram: Histogram, value: number): void {
  const { bounds, counts } = histogram
  let bucket = 0
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
  counts[bucket] = (counts[bucket] as number) + 1
  histogram.sum += value
}
