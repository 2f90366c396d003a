import { LRUCache } from 'lru-cache'

/**
 * A map that forgets what was not used for longest when it has `max` entries.
 *
 * lru-cache reserves room for `max` entries when it is made, some megabytes for each of ours; for a sum of
 * sizes it does not, so each entry is one.
 */
export function createLru<K extends {}, V extends {}>(max: number): LRUCache<K, V> {
  return new LRUCache<K, V>({ maxSize: max, sizeCalculation: () => 1 })
}
