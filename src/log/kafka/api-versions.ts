import { MillraceError } from '../../base/error.ts'
import { kafkaError } from './kafka-error.ts'
import {
  apiVersions,
  createTopics,
  deleteTopics,
  describeConfigs,
  findCoordinator,
  initProducerId,
  listOffsets,
  metadata,
  offsetCommit,
  type Wire,
} from './wire.ts'

/** What a broker can do, as far as we choose by it. */
export interface BrokerAbilities {
  /** 13: topics go by their id; 12: transactions of the second protocol; 11. */
  readonly produceVersion: 11 | 12 | 13
  /** 2: every EndTxn raises the epoch; 1: partitions are added to a transaction by a request of their own; 0: no transactions. */
  readonly transactionProtocol: 0 | 1 | 2
}

/** Asks a broker what it can do. Throws `unsupported` that names both ranges when it is too old, or too new. */
export async function brokerAbilities(wire: Wire, where: string): Promise<BrokerAbilities> {
  const { errorCode, apiKeys, finalizedFeatures } = await apiVersions(wire, 'millrace', '1')
  if (errorCode !== 0) throw kafkaError(errorCode, `ask ${where} for its versions`)
  const ranges = new Map(apiKeys.map((api) => [api.apiKey, api]))
  for (const { name, apiKey, version } of NEEDED) {
    const { minVersion = 0, maxVersion = -1 } = ranges.get(apiKey) ?? {}
    if (version >= minVersion && version <= maxVersion) continue
    const offered = maxVersion < 0 ? 'none' : `${minVersion} to ${maxVersion}`
    throw new MillraceError(
      'unsupported',
      `${where} offers versions of ${name}: ${offered}; Millrace speaks ${version}`,
      {
        hint: 'use Kafka 3.9 or newer',
      },
    )
  }
  const offers = (apiKey: number, version: number): boolean => {
    const { minVersion = 0, maxVersion = -1 } = ranges.get(apiKey) ?? {}
    return version >= minVersion && version <= maxVersion
  }
  const feature = finalizedFeatures?.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0
  const second = feature >= 2 && offers(END_TXN, 5) && offers(PRODUCE, 12)
  const first = offers(END_TXN, 3) && offers(ADD_PARTITIONS_TO_TXN, 3)
  return {
    produceVersion: offers(PRODUCE, 13) ? 13 : offers(PRODUCE, 12) ? 12 : 11,
    transactionProtocol: second ? 2 : first ? 1 : 0,
  }
}

const PRODUCE = 0
const FETCH = 1
const ADD_PARTITIONS_TO_TXN = 24
const END_TXN = 26

const NEEDED: readonly { readonly name: string; readonly apiKey: number; readonly version: number }[] = [
  { name: 'Produce', apiKey: PRODUCE, version: 11 },
  { name: 'Fetch', apiKey: FETCH, version: 17 },
  { name: 'Metadata', ...versionOf(metadata) },
  { name: 'ListOffsets', ...versionOf(listOffsets) },
  { name: 'InitProducerId', ...versionOf(initProducerId) },
  { name: 'FindCoordinator', ...versionOf(findCoordinator) },
  { name: 'OffsetCommit', ...versionOf(offsetCommit) },
  { name: 'CreateTopics', ...versionOf(createTopics) },
  { name: 'DeleteTopics', ...versionOf(deleteTopics) },
  { name: 'DescribeConfigs', ...versionOf(describeConfigs) },
]

function versionOf({ apiKey, version }: { readonly apiKey: number; readonly version: number }): {
  apiKey: number
  version: number
} {
  return { apiKey, version }
}
