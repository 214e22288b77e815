import type { ModelSummary } from '../ml/model-summary.ts'
import { type ToldClasses, type ToldPrediction, toldClasses, toldPrediction } from '../ml/told-prediction.ts'
import type { Refusal } from './reply.ts'

/** What a model says to the features in a request's URL, or why it does not. */
export function predictionFor(
  models: readonly ModelSummary[],
  url: string,
): { readonly prediction: ToldPrediction | ToldClasses } | { readonly refusal: Refusal } {
  const searchParams = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length))
  const name = searchParams.get('model')
  const names = [...new Set(models.map((one) => one.model))]
  const wanted = name === null && names.length === 1 ? names[0] : name
  const parts = models.filter((one) => one.model === wanted)
  const [first] = parts
  if (!first) return { refusal: noModel(names, name) }
  const large = parts.find(({ weightsLeftOut }) => weightsLeftOut > 0)
  if (large) return { refusal: tooLarge(large) }
  searchParams.delete('model')
  const features = Object.fromEntries(searchParams)
  return { prediction: first.className === null ? toldPrediction(first, features) : toldClasses(parts, features) }
}

function noModel(models: readonly string[], name: string | null): Refusal {
  const message =
    name === null ? `the pipeline has ${models.length} models` : `no model is named "${name.slice(0, 100)}"`
  const hint = models.length === 0 ? 'add .predict(...) to a query' : `say which: ?model= one of ${models.join(', ')}`
  return { httpStatus: 404, code: 'not-found', message, hint }
}

function tooLarge({ name, weightsLeftOut }: ModelSummary): Refusal {
  return {
    httpStatus: 501,
    code: 'unsupported',
    message: `${weightsLeftOut} weights of ${name} are not kept here`,
    hint: 'only models of up to 50 weights answer here; the predictions of larger ones are rows of their query',
  }
}
