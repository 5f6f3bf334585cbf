// SPDX-License-Identifier: MIT
/** What can be said of how far a capture is to be trusted: sums, and sentences about them. */
import type { Capture } from '../data/capture.js';
import { Flag } from '../data/capture.js';
import { interval } from '../model/certainty.js';
import { formatCount, formatPercent, formatTime } from '../ui/format.js';

export type Grade = 'fine' | 'note' | 'worry';

/** One line of the panel. */
export interface Finding {
	readonly name: string;
	readonly count: number;
	readonly share: number; // of samples, or of ticks
	readonly of: 'samples' | 'ticks' | 'reads';
	readonly grade: Grade;
	readonly meaning: string;
}

export interface TrustSums {
	readonly samples: number; // weights
	readonly rows: number;
	readonly ticks: number; // that were looked at; 0: not known
	readonly missed: number;
	readonly noRoom: number;
	readonly noSpace: number;
	readonly truncated: number;
	readonly unreadable: number;
	readonly takenOver: number;
}

const FLAGS = 64;

function weightByFlags(capture: Capture): Float64Array {
	const sums = new Float64Array(FLAGS);
	const { count, flags, weight } = capture.samples;
	for (let row = 0; row < count; row++) sums[flags[row]] += weight ? weight[row] : 1;
	return sums;
}

function lossesOf(capture: Capture, kind: string): number {
	return capture.losses.reduce((sum, loss) => sum + (loss.kind === kind ? loss.count : 0), 0);
}

const factNumber = (capture: Capture, key: string): number => {
	const value = Number(capture.facts.get(key) ?? '0');
	return Number.isFinite(value) ? value : 0;
};

export function trustSums(capture: Capture): TrustSums {
	const byFlags = weightByFlags(capture);
	const withFlag = (flag: number) =>
		byFlags.reduce((sum, weight, flags) => sum + (flags & flag ? weight : 0), 0);
	return {
		samples: byFlags.reduce((sum, weight) => sum + weight, 0),
		rows: capture.samples.count,
		ticks: factNumber(capture, 'ticks'),
		missed: lossesOf(capture, 'missed'),
		noRoom: lossesOf(capture, 'no room'),
		noSpace: lossesOf(capture, 'no space'),
		truncated: withFlag(Flag.Cut),
		unreadable: withFlag(Flag.Unreadable),
		takenOver: withFlag(Flag.TakenOver),
	};
}

const grade = (share: number, note: number, worry: number): Grade =>
	share >= worry ? 'worry' : share >= note ? 'note' : 'fine';

const shareOf = (count: number, whole: number): number => (whole > 0 ? count / whole : 0);

/** Ticks and samples that are missing or not whole, each with what that means. */
export function findings(sums: TrustSums): Finding[] {
	const due = sums.ticks + sums.missed;
	const all = sums.samples + sums.noRoom + sums.noSpace;
	const ofTicks = (count: number) => shareOf(count, due);
	const lost = (count: number) => shareOf(count, all);
	return [
		{
			name: 'Missed ticks',
			count: sums.missed,
			share: ofTicks(sums.missed),
			of: 'ticks',
			grade: grade(ofTicks(sums.missed), 0.01, 0.1),
			meaning:
				'The profiler got no processor in time, or the machine stood still. Shares stay right if ' +
				'this hit all code alike; times are too short by it.',
		},
		{
			name: 'Truncated stacks',
			count: sums.truncated,
			share: lost(sums.truncated),
			of: 'samples',
			grade: grade(lost(sums.truncated), 0.001, 0.01),
			meaning:
				'Only the part towards the root could be proven; they end in (truncated). Their self ' +
				'time is not that of the last frame shown.',
		},
		{
			name: 'Unreadable stacks',
			count: sums.unreadable,
			share: lost(sums.unreadable),
			of: 'samples',
			grade: grade(lost(sums.unreadable), 0.001, 0.01),
			meaning: 'Nothing could be proven of the stack; counted as (not readable), not guessed.',
		},
		{
			name: 'No room',
			count: sums.noRoom,
			share: lost(sums.noRoom),
			of: 'samples',
			grade: grade(lost(sums.noRoom), 0.001, 0.01),
			meaning: 'Samples came faster than they could be written down. A lower rate helps.',
		},
		{
			name: 'No space',
			count: sums.noSpace,
			share: lost(sums.noSpace),
			of: 'samples',
			grade: grade(lost(sums.noSpace), 0.000001, 0.01),
			meaning: 'The disk was full. What was sampled then is gone.',
		},
		{
			name: 'Taken over',
			count: sums.takenOver,
			share: lost(sums.takenOver),
			of: 'samples',
			grade: 'fine',
			meaning:
				'The kernel says that the thread has not run since its sample before, so the stack is ' +
				'the same and was not read again.',
		},
	];
}

const RUNGS: readonly (readonly [string, string, string])[] = [
	[
		'direct',
		'Read directly',
		'Two images in one system call agreed: the stack stood still between them.',
	],
	[
		'coscheduled',
		"Read on the program's processor",
		'The thread calls too fast for a direct read; it was read from its own processor, where it ' +
			'cannot run meanwhile. Costs the program that moment.',
	],
	['stopped', 'Stopped', 'The thread was stopped for the read, as --exact asks for.'],
	['truncated', 'Proven in part', 'Nothing settled; the proven part was kept, and marked.'],
];

/** How stacks were read, as far as the facts tell; empty for imported files. */
export function rungs(capture: Capture): Finding[] {
	const known = RUNGS.filter(([key]) => capture.facts.has(`rung.${key}`));
	const sum = known.reduce((all, [key]) => all + factNumber(capture, `rung.${key}`), 0);
	return known.map(([key, name, meaning]) => {
		const count = factNumber(capture, `rung.${key}`);
		return { name, count, share: shareOf(count, sum), of: 'reads', grade: 'fine', meaning };
	});
}

/** In one sentence: how the samples were taken. */
export function howTaken(capture: Capture, sums: TrustSums): string {
	const tool = capture.facts.get('tool') ?? 'an unknown tool';
	const format = capture.facts.get('format');
	const from = format ? `Imported (${format}), made by ${tool}.` : `Recorded by ${tool}.`;
	if (capture.periodNs <= 0)
		return `${from} ${formatCount(sums.samples)} ${capture.unit}, without times.`;
	const rate = `one tick every ${formatTime(capture.periodNs)}`;
	const jitter = format ? '' : ', each at a random moment of its slot';
	return `${from} ${formatCount(sums.samples)} samples, ${rate}${jitter}, over ${formatTime(capture.durationNs)}.`;
}

/** How the ticks add up, or that nobody knows. */
export function tickSentence(sums: TrustSums): string {
	if (sums.ticks <= 0) return 'How many ticks were due is not known for this file.';
	return (
		`${formatCount(sums.ticks)} ticks looked at + ${formatCount(sums.missed)} missed = ` +
		`${formatCount(sums.ticks + sums.missed)} ticks: every one is accounted for.`
	);
}

/** Sampling error at this number of samples, for shares of these sizes. */
export function errors(samples: number): { share: number; low: number; high: number }[] {
	return [0.5, 0.1, 0.01].map((share) => ({ share, ...interval(share * samples, samples) }));
}

/** The smallest share that is told from 0 with 95 % certainty: one never seen may have less. */
export function smallestShare(samples: number): string {
	if (samples <= 0) return '100 %';
	return formatPercent(interval(0, samples).high);
}

/** The facts of the run in reading order; those that are numbers of nanoseconds are told as times. */
export function factRows(capture: Capture): [string, string][] {
	const names: Record<string, string> = {
		python: 'Python',
		python_build: 'Interpreter',
		host: 'Host',
		kernel: 'Kernel',
		arch: 'Machine',
		cwd: 'Directory',
		command: 'Arguments of the profiler',
		tool: 'Profiler',
		format: 'Imported from',
		clock: 'Clock',
	};
	const rows: [string, string][] = [];
	for (const process of capture.processes)
		rows.push([`Process ${process.pid}`, process.command || process.name]);
	for (const [key, name] of Object.entries(names)) {
		const value = capture.facts.get(key);
		if (value) rows.push([name, value]);
	}
	const start = Number(capture.startNs / 1000000n);
	if (start > 1e11) rows.push(['First sample', new Date(start).toISOString()]);
	for (const [key, value] of capture.facts)
		if (!(key in names) && !/^(rung\.|ticks$|period_ns$|start_ns$|end_ns$)/.test(key))
			rows.push([key, value]);
	return rows;
}
