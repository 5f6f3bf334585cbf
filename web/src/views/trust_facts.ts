// SPDX-License-Identifier: MIT
/** The facts of a capture in words; those that are not known here are shown as they are. */
import type { Capture } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { formatNumber, formatTime } from '../ui/format.js';
import { countFact, isImported, isTraced } from './trust_model.js';

type Row = readonly [string, string];

/** Whether the command of the profiler has an option, as a word of its own. */
function hasOption(capture: Capture, option: string): boolean {
	const words = (capture.facts.get('command') ?? '').split(' -- ')[0].split(/\s+/);
	return words.includes(option);
}

function optionValue(capture: Capture, option: string): string {
	const words = (capture.facts.get('command') ?? '').split(' -- ')[0].split(/\s+/);
	const at = words.findIndex((word) => word === option || word.startsWith(`${option}=`));
	if (at < 0) return '';
	return words[at].includes('=') ? words[at].slice(option.length + 1) : (words[at + 1] ?? '');
}

function strategyText(capture: Capture): string {
	const names: Readonly<Record<string, string>> = {
		direct: 'only directly (--strategy direct)',
		coscheduled: 'only on the program\u2019s processor (--strategy coscheduled)',
		stop: 'stopped for each sample (--strategy stop)',
	};
	if (hasOption(capture, '--exact'))
		return 'the cheapest that is proven; stopped if none is (--exact)';
	return names[optionValue(capture, '--strategy')] ?? 'the cheapest that is proven';
}

/** When samples were taken, and how. `rate`: "1 kHz" of a period. */
export function wayFacts(capture: Capture, rate: (periodNs: number) => string): Row[] {
	const { periodNs, facts, unit } = capture;
	const period = periodNs > 0 ? `${rate(periodNs)}, one tick each ${formatTime(periodNs)}` : '';
	if (isImported(capture)) {
		const known = facts.get('tool');
		return [
			['imported from', visible(facts.get('format') ?? '')],
			['recorded by', known ? visible(known) : 'not known'],
			['rate', period || 'not known: samples are counts'],
			['counts', unit],
			['times', capture.timed ? visible(facts.get('clock') ?? '') : 'not known'],
			['moments', 'whether ticks were at equal distances is not known'],
			['losses', countFact(capture, 'ticks') === null ? 'not known' : 'as the recorder tells'],
		];
	}
	if (isTraced(capture))
		return [
			['times', 'measured at each call and return; nothing was sampled'],
			['cost', 'what tracing itself took is in these times, most of it in those of short calls'],
		];
	const sampler = facts.get('sampler');
	return [
		['rate', period || 'as fast as it went'],
		[
			'moments',
			hasOption(capture, '--no-jitter')
				? 'at equal distances (--no-jitter): a program with the same rhythm may be seen askew'
				: 'a random one of each period, so that no rhythm of the program hides from them',
		],
		sampler
			? ['stacks', `read from inside, by ${visible(sampler)}`]
			: ['stacks', `read from outside, ${strategyText(capture)}`],
		['threads', 'all of them at each tick, also those that wait'],
	];
}

const LABELS: Readonly<Record<string, string>> = {
	tool: 'recorded with',
	format: 'imported from',
	command: 'command of the profiler',
	host: 'host',
	kernel: 'kernel',
	arch: 'machine',
	python: 'Python',
	python_build: 'its program',
	cwd: 'directory of the program',
	files: 'files of the program',
	clock: 'clock',
	unit: 'samples count',
	selection: 'options of the report',
};

/** Said elsewhere, in words. */
const ELSEWHERE = /^(ticks|sampler|traced|rung\..*|dropped|left_out|period_ns|start_ns|end_ns)$/;

function moment(capture: Capture, key: string): string {
	const text = capture.facts.get(key);
	if (text === undefined || !/^\d{1,20}$/.test(text)) return '';
	const date = new Date(Number(BigInt(text) / 1_000_000n));
	return Number.isNaN(date.getTime())
		? ''
		: `${date.toISOString().slice(0, 23).replace('T', ' ')} UTC`;
}

/** What is known of the run. */
export function runFacts(capture: Capture): Row[] {
	const { facts, processes, threads } = capture;
	const rows: Row[] = [];
	for (const process of processes.slice(0, 10)) {
		const id = process.pid ? `${process.pid}: ` : '';
		rows.push(['process', visible(`${id}${process.command || process.name}`)]);
	}
	if (processes.length > 10) rows.push(['', `and ${processes.length - 10} more processes`]);
	rows.push(['threads', formatNumber(threads.length, 'thread')]);
	for (const [key, label] of Object.entries(LABELS)) {
		const value = facts.get(key);
		if (value) rows.push([label, visible(value.slice(0, 4000))]);
	}
	const begin = moment(capture, 'start_ns');
	const end = moment(capture, 'end_ns');
	rows.push(['began', begin || 'not known']);
	rows.push([
		'ended',
		end || (isImported(capture) ? 'not known' : 'not known: it was cut off, or went on'),
	]);
	if (capture.timed) rows.push(['samples span', formatTime(capture.durationNs)]);
	for (const [key, value] of facts) {
		if (!(key in LABELS) && !ELSEWHERE.test(key))
			rows.push([visible(key), visible(value.slice(0, 4000))]);
	}
	return rows.filter(([, value]) => value !== '');
}
