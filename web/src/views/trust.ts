// SPDX-License-Identifier: MIT
/** How the samples were taken, what is missing, and how sure the numbers are. */
import type { App, View } from '../app/app.js';
import type { Capture } from '../data/capture.js';
import { make } from '../ui/dom.js';
import { formatCount, formatPercent, formatTime } from '../ui/format.js';
import type { Finding } from './trust_sums.js';
import {
	errors,
	factRows,
	findings,
	howTaken,
	rungs,
	smallestShare,
	tickSentence,
	trustSums,
} from './trust_sums.js';

const STRIP_BINS = 100;
const GRADES = { fine: 'fine', note: 'worth knowing', worry: 'reason to worry' } as const;

function headed(title: string, ...children: readonly (Node | string | null)[]): HTMLElement {
	return make('section', 'trust-part', make('h3', '', title), ...children);
}

function table(heads: readonly string[], rows: readonly HTMLTableRowElement[]): HTMLElement {
	const row = make('tr', '');
	for (const head of heads) {
		const cell = make('th', '', head);
		cell.scope = 'col';
		row.append(cell);
	}
	return make('table', 'trust-table', make('thead', '', row), make('tbody', '', ...rows));
}

function findingRow(one: Finding, graded: boolean): HTMLTableRowElement {
	const name = make('th', '', one.name);
	name.scope = 'row';
	const share = one.count > 0 ? `${formatPercent(one.share)} of ${one.of}` : '';
	return make(
		'tr',
		graded ? `trust-${one.grade}` : '',
		name,
		make('td', 'number', formatCount(one.count)),
		make('td', 'number', share),
		graded ? make('td', '', one.count > 0 ? GRADES[one.grade] : GRADES.fine) : null,
		make('td', 'trust-meaning', one.meaning),
	);
}

/** Losses over time: bars as high as what was lost there. */
function lossStrip(capture: Capture): HTMLElement | null {
	if (capture.losses.length === 0 || capture.durationNs <= 0) return null;
	const bins = new Float64Array(STRIP_BINS);
	for (const loss of capture.losses) {
		const at = Math.floor((loss.timeNs / capture.durationNs) * STRIP_BINS);
		bins[Math.min(STRIP_BINS - 1, Math.max(0, at))] += loss.count;
	}
	const most = bins.reduce((a, b) => Math.max(a, b), 1);
	const strip = make('div', 'trust-strip');
	for (const bin of bins) {
		const bar = make('span', bin > 0 ? 'lost' : '');
		bar.style.height = `${Math.round((100 * bin) / most)}%`;
		strip.append(bar);
	}
	strip.setAttribute('role', 'img');
	strip.setAttribute(
		'aria-label',
		`losses from 0 to ${formatTime(capture.durationNs)}, at most ${formatCount(most)} at once`,
	);
	return make('div', '', make('p', 'dim', 'When they were lost, from begin to end:'), strip);
}

function errorPart(samples: number): HTMLElement {
	const rows = errors(samples).map(({ share, low, high }) =>
		make(
			'tr',
			'',
			make('td', 'number', formatPercent(share)),
			make('td', 'number', `${formatPercent(low)} to ${formatPercent(high)}`),
		),
	);
	return headed(
		'How sure the numbers are',
		make(
			'p',
			'',
			`Of the ${formatCount(samples)} samples that are shown now, with 95 % certainty. A function ` +
				`that was never seen may still have up to ${smallestShare(samples)}. (As if samples were ` +
				'independent: those that follow each other in one long call are not, and tell less.)',
		),
		table(['a share of', 'is truly'], rows),
	);
}

function factPart(capture: Capture): HTMLElement {
	const list = make('dl', 'trust-facts');
	for (const [name, value] of factRows(capture))
		list.append(make('dt', '', name), make('dd', '', value));
	return headed('The run', list);
}

function build(root: HTMLElement, app: App): void {
	const { capture } = app;
	const sums = trustSums(capture);
	const rungRows = rungs(capture).map((one) => findingRow(one, false));
	const imported = capture.facts.has('format');
	root.replaceChildren(
		headed(
			'How they were taken',
			make('p', '', howTaken(capture, sums)),
			make('p', '', tickSentence(sums)),
			imported
				? make('p', 'dim', 'What another profiler lost, or guessed, is not in its file.')
				: null,
		),
		headed(
			'What is missing',
			table(
				['', 'count', 'share', 'is', 'meaning'],
				findings(sums).map((one) => findingRow(one, true)),
			),
			lossStrip(capture),
		),
		...(rungRows.length > 0
			? [headed('How stacks were read', table(['', 'count', 'share', 'meaning'], rungRows))]
			: []),
		errorPart(app.shown().now.samples),
		factPart(capture),
	);
}

export function makeTrust(): View {
	let place: HTMLElement | null = null;
	let owner: App | null = null;
	return {
		mount(root, app) {
			place = make('div', 'trust');
			root.append(place);
			owner = app;
		},
		update(changed) {
			const drawn = place?.firstChild !== null;
			if (place && owner && (!drawn || changed.has('shown'))) build(place, owner);
		},
		help: [],
	};
}
