// SPDX-License-Identifier: MIT
/** The timeline in words, for those who do not see it: a label, what was selected, a table. */
import type { Change } from '../app/app.js';
import type { Tracks } from '../app/state.js';
import { NONE } from '../data/capture.js';
import { KINDS } from '../model/pyramid.js';
import { make } from '../ui/dom.js';
import { formatCount, formatPercent } from '../ui/format.js';
import { type Timeline, trackRows } from './timeline_parts.js';
import { KIND_NAMES } from './timeline_series.js';
import { rangeLines, sampleLines, summary, trackName } from './timeline_words.js';

export interface Text {
	update(changed: ReadonlySet<Change>): void;
	/** Whether anything but the window of State.tracks is not as it was when this was last asked. */
	tracksChanged(): boolean;
}

export function makeText(t: Timeline): Text {
	const { scroll, text, live } = t.dom;
	let tracks: Tracks | null = null;
	scroll.tabIndex = 0;
	scroll.setAttribute('role', 'application');
	scroll.setAttribute('aria-roledescription', 'timeline');
	const title = make('summary', '', 'Tracks as a table');
	const table = make('details', '', title);
	table.addEventListener('toggle', () => {
		if (table.open) fillTable(t, table, title);
	});
	text.append(table);
	return {
		update(changed) {
			scroll.setAttribute('aria-label', summary(t));
			const { state } = t.app;
			if (table.open && changed.has('tracks')) fillTable(t, table, title);
			if (changed.has('sample') && state.sample !== NONE) {
				live.textContent = sampleLines(t, state.sample, NONE).join('; ');
			} else if (changed.has('ranges')) {
				const range = state.ranges.at(-1);
				live.textContent =
					range === undefined
						? 'No range selected'
						: `Selected: ${rangeLines(t, range).join('; ')}`;
			}
		},
		tracksChanged() {
			const now = t.app.state.tracks;
			const same =
				tracks !== null &&
				tracks.hidden === now.hidden &&
				tracks.merged === now.merged &&
				tracks.order === now.order;
			tracks = now;
			return !same;
		},
	};
}

/** A row for each track: its samples, and the shares of what it was doing. */
function fillTable(t: Timeline, details: HTMLElement, title: HTMLElement): void {
	const table = make('table');
	const head = table.createTHead().insertRow();
	const { kinds } = t;
	for (const name of ['track', 'samples', ...kinds.map((k) => KIND_NAMES[k])]) {
		const cell = make('th', '', name);
		cell.scope = 'col';
		head.append(cell);
	}
	const body = table.createTBody();
	for (const { threads } of trackRows(t)) {
		const weights = new Float64Array(KINDS);
		let count = 0;
		for (const thread of threads) {
			count += t.capture.threads[thread].count;
			for (const k of kinds) weights[k] += t.drawn.weights[thread * KINDS + k];
		}
		const sum = weights.reduce((a, b) => a + b, 0);
		const row = body.insertRow();
		const name = make('th', '', trackName(t, threads));
		name.scope = 'row';
		row.append(name);
		row.insertCell().textContent = formatCount(count);
		for (const k of kinds) row.insertCell().textContent = formatPercent(weights[k] / sum);
	}
	details.replaceChildren(title, table);
}
