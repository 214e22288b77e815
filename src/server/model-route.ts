import type { ModelSummary } from '../ml/model-summary.ts'
import { type ToldPrediction, toldPrediction } from '../ml/told-prediction.ts'
import type { Refusal } from './reply.ts'

/** What a model says to the features in a request's URL, or why it does not. */
export function predictionFor(
  models: readonly ModelSummary[],
  url: string,
): { readonly prediction: ToldPrediction } | { readonly refusal: Refusal } {
  const searchParams = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length))
  const name = searchParams.get('model')
  const model = name === null && models.length === 1 ? models[0] : models.find((one) => one.name === name)
  if (!model) return { refusal: noModel(models, name) }
  if (model.weightsLeftOut > 0) return { refusal: tooLarge(model) }
  searchParams.delete('model')
  return { prediction: toldPrediction(model, Object.fromEntries(searchParams)) }
}

function noModel(models: readonly ModelSummary[], name: string | null): Refusal {
  const names = models.map((one) => one.name).join(', ')
  const message =
    name === null ? `the pipeline has ${models.length} models` : `no model is named "${name.slice(0, 100)}"`
  const hint = models.length === 0 ? 'add .predict(...) to a query' : `say which: ?model= one of ${names}`
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
