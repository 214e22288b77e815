import './tokens.css'
import './page.css'
import './tables.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { watchJob } from './feed.ts'
import { recordHistory } from './history.ts'
import { listenToKeys } from './keyboard.ts'
import { recordModels } from './model-history.ts'

const root = document.getElementById('app')
if (root) {
  render(<App />, root)
  listenToKeys()
  recordHistory()
  recordModels()
  watchJob()
}
