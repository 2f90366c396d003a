import { PolicyFields, type PolicyFieldsProps } from './policy-fields.js'

/** What may limit a new key-pair. All of it is optional, and so it is folded away. */
export function KeyPairOptions(props: Pick<PolicyFieldsProps, 'choices' | 'now'>) {
  return (
    <details class="options">
      <summary>Options</summary>
      <PolicyFields {...props} />
    </details>
  )
}
