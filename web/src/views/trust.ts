// SPDX-License-Identifier: MIT
/** The trust panel: how the samples were taken, what was lost, how sure the numbers are. */
import type { App, Change, View } from '../app/app.js';
import type { Capture } from '../data/capture.js';
import { visible } from '../draw/text.js';
import type { Side } from '../model/shown.js';
import { attributes, make } from '../ui/dom.js';
import { formatCount, formatNumber, formatPercent, formatRate, formatTime } from '../ui/format.js';
import { facts, section } from './details_parts.js';
import { runFacts, wayFacts } from './trust_facts.js';
import type { Accounts, Grade } from './trust_model.js';
import {
	chances,
	isImported,
	lossBins,
	rungAccounts,
	sampleAccounts,
	smallestSeen,
	tickAccounts,
	verdict,
} from './trust_model.js';

const SVG = 'http://www.w3.org/2000/svg';
const BINS = 120;
const SHARES = [0.5, 0.1, 0.01];

const GRADES: Readonly<Record<Grade, readonly [string, string]>> = {
	good: ['\u2713', 'fine'],
	note: ['\u2022', 'worth knowing'],
	bad: ['!', 'a reason to worry'],
};

function gradeSign(grade: Grade): HTMLElement {
	const [sign, words] = GRADES[grade];
	return attributes(make('span', `grade grade-${grade}`, sign), {
		role: 'img',
		'aria-label': words,
		title: words,
	});
}

function headRow(...cells: readonly string[]): HTMLElement {
	const row = make('tr');
	for (const text of cells) row.append(attributes(make('th', '', text), { scope: 'col' }));
	return make('thead', '', row);
}

/** A table of accounts, with its sum. */
function accountTable(what: string, accounts: Accounts): HTMLElement {
	const body = make('tbody');
	for (const { name, count, share, means, grade } of accounts.rows) {
		const head = attributes(make('th', '', gradeSign(grade), name), { scope: 'row' });
		const bar = make('td', 'proof-share', accounts.sum > 0 ? formatPercent(share) : '');
		bar.style.setProperty('--share', String(share));
		body.append(
			make(
				'tr',
				'',
				head,
				make('td', 'count', formatCount(count)),
				bar,
				make('td', 'means', means),
			),
		);
	}
	const sum = attributes(make('th', '', 'sum'), { scope: 'row' });
	const foot = make(
		'tr',
		'',
		sum,
		make('td', 'count', formatCount(accounts.sum)),
		make('td'),
		make('td'),
	);
	return make(
		'table',
		'proof-table',
		headRow(what, 'count', 'share', 'what it means'),
		body,
		make('tfoot', '', foot),
	);
}

function bar(x: number, height: number, base: number, className: string): SVGElement {
	const rect = document.createElementNS(SVG, 'rect');
	return attributes(rect, { x, y: 30 - base - height, width: 1, height, class: className });
}

/** Where in time something was lost. */
function lossStrip(capture: Capture): HTMLElement {
	const { missed, lost, most } = lossBins(capture, BINS);
	if (most === 0) return make('p', 'dim', 'Nothing was lost at any time.');
	const label =
		`Losses over time: at most ${formatCount(most)} within ` +
		formatTime(capture.durationNs / BINS);
	const strip = attributes(document.createElementNS(SVG, 'svg'), {
		viewBox: `0 0 ${BINS} 30`,
		preserveAspectRatio: 'none',
		role: 'img',
		class: 'proof-strip',
		'aria-label': label,
	});
	for (let i = 0; i < BINS; i++) {
		const low = (missed[i] / most) * 28;
		const high = (lost[i] / most) * 28;
		if (low > 0) strip.append(bar(i, Math.max(1, low), 0, 'missed'));
		if (high > 0) strip.append(bar(i, Math.max(1, high), low, 'lost'));
	}
	const ends = make(
		'p',
		'proof-ends dim',
		make('span', '', '0 s'),
		make('span', '', formatTime(capture.durationNs)),
	);
	return make('div', '', make('p', '', `${label}.`), make('div', 'proof-strip-box', strip), ends);
}

function points(share: number): string {
	const text = (share * 100).toFixed(share < 0.001 ? 3 : share < 0.01 ? 2 : 1);
	return `${text} pp`;
}

/** How far shares of a side may be from the truth by chance alone. */
function chanceParts(side: Side, periodNs: number, what: string): (Node | string)[] {
	const samples = Math.floor(side.samples);
	const count = make('p', '', `${what}: ${formatNumber(samples, 'sample')}.`);
	if (samples < 1) return [count];
	const body = make('tbody');
	for (const { share, low, high } of chances(samples, SHARES)) {
		const name = attributes(make('th', '', formatPercent(share)), { scope: 'row' });
		const half = make('td', 'count', `\u00b1 ${points((high - low) / 2)}`);
		const range = make('td', 'count', `${formatPercent(low)} to ${formatPercent(high)}`);
		body.append(make('tr', '', name, half, range));
	}
	const least = smallestSeen(samples);
	const time = periodNs > 0 ? `, ${formatTime(least * side.sum * periodNs)}` : '';
	return [
		count,
		make(
			'table',
			'proof-table proof-chance',
			headRow('a share of', 'is sure to percentage points', 'with 95 %: from, to'),
			body,
		),
		make(
			'p',
			'',
			`The smallest share that can be told from 0 is ${small(least)}${time}: what takes less is, ` +
				'in more than 1 of 20 recordings, not seen at all.',
		),
	];
}

const small = (share: number): string =>
	share < 0.001 ? `${(share * 100).toPrecision(2)} %` : formatPercent(share);

function fillTrust(root: HTMLElement, app: App): void {
	const { capture, baseline } = app;
	const shown = app.shown();
	const { grade, text } = verdict(capture);
	const ticks = tickAccounts(capture);
	const rungs = rungAccounts(capture);
	const unknown = 'Not known: the capture does not tell.';
	const parts: HTMLElement[] = [
		make('p', `proof-verdict proof-${grade}`, gradeSign(grade), text),
		section('How the samples were taken', facts(wayFacts(capture, formatRate))),
		section(
			'Ticks of the clock',
			ticks ? accountTable('ticks', ticks) : make('p', 'dim', unknown),
			capture.timed ? lossStrip(capture) : null,
		),
		section(
			isImported(capture) ? 'Samples' : 'Samples that were due',
			accountTable('samples', sampleAccounts(capture)),
		),
		section(
			'How stacks were read',
			rungs ? accountTable('reads', rungs) : make('p', 'dim', unknown),
			rungs
				? make(
						'p',
						'dim',
						'Samples that were taken over need no read. Some need more than one: a read that only ' +
							'tries whether the direct way settles is not used, and one that met new code is made again.',
					)
				: null,
		),
		section(
			'How sure the numbers are',
			...chanceParts(shown.now, shown.periodNs, 'Shown now'),
			...(shown.before ? chanceParts(shown.before, shown.periodNs, 'Compared with') : []),
			make(
				'p',
				'dim',
				'By chance alone, as if each sample were drawn by itself. Samples of a thread that waits for ' +
					'long are alike, so that rare long events are less sure than this. Numbers that are ' +
					'uncertain look pale, or have a \u00b1, in all lists.',
			),
		),
		section('The run', facts(runFacts(capture))),
	];
	if (baseline) {
		parts.push(
			section(
				`What it is compared with: ${visible(baseline.title)}`,
				make('p', '', verdict(baseline).text),
				accountTable('samples', sampleAccounts(baseline)),
				facts(runFacts(baseline)),
			),
		);
	}
	root.replaceChildren(make('div', 'proof-parts', ...parts));
}

export function makeTrust(): View {
	let fill: (() => void) | null = null;
	return {
		mount(root, app) {
			root.classList.add('proof-view');
			root.tabIndex = 0;
			fill = () => fillTrust(root, app);
		},
		update(changed: ReadonlySet<Change>) {
			if (changed.has('shown')) fill?.();
		},
		help: [],
	};
}
