// SPDX-License-Identifier: MIT
/**
 * What became of every tick and of every sample, as the capture tells it, and how much the numbers
 * can be wrong by chance. What a recorder counts is said in docs/record.md.
 */
import { type Capture, Flag, type Loss, type Samples } from '../data/capture.js';
import { interval } from '../model/certainty.js';
import { formatCount, formatPercent } from '../ui/format.js';

/** good: as it should be; note: worth knowing; bad: a reason to doubt the numbers. */
export type Grade = 'good' | 'note' | 'bad';

export interface Account {
	readonly name: string;
	readonly count: number;
	readonly share: number; // of the sum of its table
	readonly means: string; // a sentence
	readonly grade: Grade;
}

export interface Accounts {
	readonly rows: readonly Account[];
	readonly sum: number;
}

export const isImported = (capture: Capture): boolean => capture.facts.has('format');

/** Each call was traced: its samples are nanoseconds that were measured. */
export const isTraced = (capture: Capture): boolean => capture.facts.get('traced') === 'calls';

/** A fact that is a count; null: it is not told. */
export function countFact(capture: Capture, key: string): number | null {
	const text = capture.facts.get(key);
	return text !== undefined && /^\d{1,19}$/.test(text) ? Number(text) : null;
}

export function lost(capture: Capture, kind: Loss['kind']): number {
	return capture.losses.reduce((sum, loss) => sum + (loss.kind === kind ? loss.count : 0), 0);
}

/** A share above `bad` is a reason to worry, one above `note` worth knowing. */
function graded(share: number, note: number, bad: number): Grade {
	if (share > bad) return 'bad';
	return share > note ? 'note' : 'good';
}

type Row = readonly [name: string, count: number, note: number, bad: number, ...means: string[]];

/** `means`: if there are none, if there are some; then "good" rows say why that is no worry. */
function accountsOf(rows: readonly Row[]): Accounts {
	const sum = rows.reduce((all, [, count]) => all + count, 0);
	return {
		sum,
		rows: rows.map(([name, count, note, bad, some, none]) => {
			const share = sum > 0 ? count / sum : 0;
			return {
				name,
				count,
				share,
				means: count === 0 && none !== undefined ? none : (some ?? ''),
				grade: graded(share, note, bad),
			};
		}),
	};
}

/** Ticks that were looked at, of a capture that does not tell: its time has room for so many. */
function guessedTicks({ periodNs, durationNs, threads }: Capture, missed: number): number {
	const due = periodNs > 0 ? Math.round(durationNs / periodNs) : 0;
	const least = periodNs > 0 ? threads.reduce((most, { count }) => Math.max(most, count), 0) : 0;
	return Math.max(due - missed, least);
}

/** Ticks of the clock; null if the capture tells neither how many there were nor of any missed one. */
export function tickAccounts(capture: Capture): Accounts | null {
	const ticks = countFact(capture, 'ticks');
	const missed = lost(capture, 'missed');
	if (ticks === null && missed === 0) return null;
	const seen =
		ticks === null
			? 'About so many, by its time: the capture does not tell.'
			: 'At each of these every thread was sampled once.';
	return accountsOf([
		['looked at', ticks ?? guessedTicks(capture, missed), 1, 1, seen],
		[
			'missed',
			missed,
			0.01,
			0.05,
			'The profiler got no processor before the next tick was due. They are counted, not made up ' +
				'for. Few do no harm; many may be the moments in which the machine was busiest.',
			'The profiler was on time at every tick.',
		],
	]);
}

interface Kept {
	readonly whole: number;
	readonly takenOver: number;
	readonly cut: number;
	readonly unreadable: number;
}

const keptByCapture = new WeakMap<Samples, Kept>();

/** Weights of the samples by how their stacks were come by. Walks all samples once. */
export function keptSamples(capture: Capture): Kept {
	const known = keptByCapture.get(capture.samples);
	if (known) return known;
	const { count, flags, weight } = capture.samples;
	let [takenOver, cut, unreadable, all] = [0, 0, 0, 0];
	for (let row = 0; row < count; row++) {
		const w = weight ? weight[row] : 1;
		all += w;
		if (flags[row] & Flag.Unreadable) unreadable += w;
		else if (flags[row] & Flag.Cut) cut += w;
		else if (flags[row] & Flag.TakenOver) takenOver += w;
	}
	const kept = { whole: all - takenOver - cut - unreadable, takenOver, cut, unreadable };
	keptByCapture.set(capture.samples, kept);
	return kept;
}

/** Samples: what is in the page, and what is not. Each is in one row. */
export function sampleAccounts(capture: Capture): Accounts {
	const { whole, takenOver, cut, unreadable } = keptSamples(capture);
	const imported = isImported(capture);
	const rows: Row[] = [
		imported
			? ['as imported', whole, 1, 1, 'How their stacks were read is not known.']
			: ['read whole', whole, 1, 1, 'The stack was read and proven, from the root to the leaf.'],
	];
	if (!imported || takenOver > 0) {
		rows.push([
			'taken over',
			takenOver,
			1,
			1,
			'The thread had provably not run since its sample before: it stands where it stood, ' +
				'and its stack was not read again. As true as the others.',
		]);
	}
	const worries: readonly Row[] = [
		[
			'truncated',
			cut,
			0.001,
			0.01,
			'Only the outer part of the stack is there: deeper than 16 384 frames, or the rest could ' +
				'not be proven. What is there is true; self time is not.',
		],
		[
			'not readable',
			unreadable,
			0.001,
			0.01,
			'No part of the stack could be proven, so that none is shown: (not readable).',
		],
		[
			'no room',
			lost(capture, 'no room'),
			0.001,
			0.01,
			'Samples came faster than they could be kept, and are lost. Record at a lower rate.',
		],
		[
			'no space',
			lost(capture, 'no space'),
			0.001,
			0.01,
			'They could not be written: the disk was full.',
		],
	];
	// none of an imported capture may mean that nobody counted
	const told = worries.filter((row) => !imported || row[1] > 0);
	rows.push(...told.map((row): Row => (row[1] === 0 ? [...row, 'None.'] : row)));
	const dropped = countFact(capture, 'dropped') ?? 0;
	if (dropped > 0) {
		rows.push([
			'dropped',
			dropped,
			1,
			1,
			'The flight recorder keeps only the newest samples: these are older.',
		]);
	}
	const leftOut = countFact(capture, 'left_out') ?? 0;
	if (leftOut > 0) {
		const selection = capture.facts.get('selection');
		const why = selection ? `: ${selection}` : '';
		rows.push(['left out', leftOut, 0, 1, `The options of the report left them out${why}.`]);
	}
	return accountsOf(rows);
}

const RUNGS: readonly (readonly [key: string, name: string, means: string, worry: boolean])[] = [
	[
		'rung.direct',
		'directly',
		'Two images of the stack in one system call, while the program went on. They agreed.',
		false,
	],
	[
		'rung.coscheduled',
		'on its processor',
		'Read from the processor on which the thread ran: while the profiler runs there, the thread ' +
			'does not. Costs the program the time of the read.',
		false,
	],
	[
		'rung.stopped',
		'while stopped',
		'The thread was stopped for a moment (--exact). Exact, but it costs the program most.',
		false,
	],
	[
		'rung.truncated',
		'in part',
		'No way settled: only the proven part was kept, and the sample is marked as truncated.',
		true,
	],
];

/** Reads of stacks by rung of the ladder; null if the capture does not tell. */
export function rungAccounts(capture: Capture): Accounts | null {
	if (!RUNGS.some(([key]) => capture.facts.has(key))) return null;
	return accountsOf(
		RUNGS.map(([key, name, means, worry]): Row => {
			const count = countFact(capture, key) ?? 0;
			const [note, bad] = worry ? [0.001, 0.01] : [1, 1];
			return [name, count, note, bad, means];
		}),
	);
}

// ---- chance ---------------------------------------------------------------------------------------

export interface Chance {
	readonly share: number;
	readonly low: number;
	readonly high: number;
}

/** 95 % intervals of some shares, if they were seen in so many samples. */
export function chances(samples: number, shares: readonly number[]): Chance[] {
	return shares.map((share) => ({ share, ...interval(share * samples, samples) }));
}

/** The share that is seen at least once, in so many samples, in 95 of 100 recordings. */
export function smallestSeen(samples: number): number {
	return samples > 0 ? 1 - 0.05 ** (1 / samples) : 1;
}

// ---- losses over time -----------------------------------------------------------------------------

export interface LossBins {
	readonly missed: Float64Array; // ticks, by bin
	readonly lost: Float64Array; // samples there was no room or no space for
	readonly most: number; // of both together, in a bin
}

/** Losses are told about once a second: a bin has those that were told in it. */
export function lossBins(capture: Capture, bins: number): LossBins {
	const missed = new Float64Array(bins);
	const gone = new Float64Array(bins);
	for (const { timeNs, kind, count } of capture.losses) {
		const at = Math.floor((timeNs / Math.max(1, capture.durationNs)) * bins);
		(kind === 'missed' ? missed : gone)[Math.max(0, Math.min(bins - 1, at))] += count;
	}
	const most = missed.reduce((all, count, i) => Math.max(all, count + gone[i]), 0);
	return { missed, lost: gone, most };
}

// ---- in short -------------------------------------------------------------------------------------

/** Whether there is a reason to worry, in a sentence; and how bad it is. */
export function verdict(capture: Capture): { grade: Grade; text: string } {
	const ticks = tickAccounts(capture);
	const tables = [ticks, rungAccounts(capture), sampleAccounts(capture)];
	const rows = tables.flatMap((table) => table?.rows ?? []);
	const of = (grade: Grade): string =>
		rows
			.filter((row) => row.grade === grade)
			.map((row) => `${row.name} ${formatPercent(row.share)}`)
			.join(', ');
	if (of('bad'))
		return { grade: 'bad', text: `There is a reason to doubt the numbers: ${of('bad')}.` };
	if (of('note'))
		return { grade: 'note', text: `Nearly all is as it should be, but: ${of('note')}.` };
	if (isImported(capture)) {
		return {
			grade: 'note',
			text: 'The samples were imported: what their recorder lost is not known.',
		};
	}
	if (ticks === null) {
		return {
			grade: 'note',
			text: 'Every sample is accounted for. How many ticks there were the capture does not tell.',
		};
	}
	const missed = lost(capture, 'missed');
	const few = `few ticks were missed (${formatCount(missed)}); `;
	return {
		grade: 'good',
		text: `No reason to worry: ${missed > 0 ? few : ''}every tick and every sample is accounted for.`,
	};
}
