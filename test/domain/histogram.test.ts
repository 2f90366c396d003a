import test from 'ava'
import { createHistogram, observe } from '../../src/domain/histogram.js'

test('a value is counted in the first bucket that it fits into, bounds included', (t) => {
  const histogram = createHistogram([1, 5])
  for (const value of [0, 1, 1.5, 5, 6, 100]) observe(histogram, value)
  t.deepEqual([...histogram.counts], [2, 2, 2])
  t.is(histogram.sum, 113.5)
})
