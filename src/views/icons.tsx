import type { ComponentChildren } from 'preact'

/** Drawn here, in the text's colour: pictures that say nothing which the text beside them does not. */
function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  )
}

export const KeyIcon = () => (
  <Icon>
    <circle cx="7.5" cy="8" r="3.5" />
    <circle cx="7.5" cy="16" r="3.5" />
    <path d="M11 8h10M18 8v3M11 16h10M16 16v3M20 16v2" />
  </Icon>
)

export const PencilIcon = () => (
  <Icon>
    <path d="M4 20l1-4L16.5 4.5a1.8 1.8 0 0 1 2.5 0l.5.5a1.8 1.8 0 0 1 0 2.5L8 19z" />
    <path d="M14.5 6.5l3 3" />
  </Icon>
)

export const CopyIcon = () => (
  <Icon>
    <rect x="8.5" y="8.5" width="11" height="11" rx="2" />
    <path d="M15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2" />
  </Icon>
)

export const WarningIcon = () => (
  <Icon>
    <path d="M12 4l9 16H3z" />
    <path d="M12 10.5v4M12 17.2v.1" />
  </Icon>
)

export const LimitsIcon = () => (
  <Icon>
    <path d="M4 7h8M18 7h2M4 17h2M12 17h8" />
    <circle cx="15" cy="7" r="2.6" />
    <circle cx="9" cy="17" r="2.6" />
  </Icon>
)
