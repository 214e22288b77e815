import { createRef, type VNode } from 'preact'
import './help.css'

const KEYS = [
  ['/', 'filter the groups'],
  ['Esc', 'clear the filter'],
  ['space', 'pause and resume'],
  ['?', 'this help'],
] as const

const TERMS = [
  ['event time', 'when something happened, as the event itself says'],
  [
    'watermark',
    'event time up to which results are complete; it follows the slowest active partition at a fixed delay',
  ],
  ['provisional', 'the window is still open and its numbers grow'],
  ['final', 'the window has closed: the watermark has passed its end, and the numbers no longer change'],
  ['fate', 'what became of a row; each row that is read has exactly one'],
  ['epoch', 'a portion of the input that is computed and committed as a whole'],
  ['lag', 'rows of a partition that have not been read yet'],
] as const

// The dialog itself knows whether it is open: the browser closes it too, and tells of that only later.
const dialog = createRef<HTMLDialogElement>()

export function helpIsShown(): boolean {
  return dialog.current?.open === true
}

export function showHelp(): void {
  if (!helpIsShown()) dialog.current?.showModal()
}

/** Keys and terms, above the page. */
export function Help(): VNode {
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help">
      <h2 id="help">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <h2>Terms</h2>
      <dl class="terms">
        {TERMS.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">All times are UTC. The same data: /api/status, /metrics.</p>
      <button type="button" class="tool" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
