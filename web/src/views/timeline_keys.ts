// SPDX-License-Identifier: MIT
/** Keys of the timeline. */
import { NONE } from '../data/capture.js';
import { placeAt } from '../model/pyramid.js';
import { showWhole, zoomBy } from './timeline_bar.js';
import { type TrackRow, trackOf } from './timeline_layout.js';
import { popRange, zoomToRange } from './timeline_menu.js';
import { type Timeline, trackFor, trackRows } from './timeline_parts.js';
import { cancelDrag } from './timeline_pointer.js';
import { endOf, placeOf, rowOf } from './timeline_series.js';
import { panWindow, reveal } from './timeline_window.js';

function select(t: Timeline, row: TrackRow, place: number): void {
	const { series } = trackFor(t, row.threads);
	const sample = rowOf(series, place);
	const from = series.timeNs[place];
	const to = series.many ? from : endOf(series, place, t.tickPeriodNs);
	t.show(reveal(t.window, from, to, t.capture.durationNs));
	scrollTo(t, row);
	t.app.set({ sample }, 'move');
}

/** Brings a row into sight. */
export function scrollTo(t: Timeline, row: TrackRow): void {
	const { scroll } = t.dom;
	if (row.y < scroll.scrollTop) scroll.scrollTop = row.y;
	const over = row.y + row.height - scroll.scrollTop - t.height;
	if (over > 0) scroll.scrollTop += Math.min(over, row.y - scroll.scrollTop);
}

/** The selected sample's track and place; null if none is, or it is hidden. */
function selected(t: Timeline): { row: TrackRow; place: number } | null {
	const { sample } = t.app.state;
	if (sample === NONE || sample >= t.capture.samples.count) return null;
	const row = trackOf(t.layout, t.capture.samples.thread[sample]);
	if (row === null) return null;
	const { series } = trackFor(t, row.threads);
	const place = placeOf(series, sample, t.capture.samples.timeNs[sample]);
	return place < 0 ? null : { row, place };
}

/** The first sample in the window of the first track that has one there. */
function selectAny(t: Timeline): boolean {
	for (const row of trackRows(t)) {
		const { series } = trackFor(t, row.threads);
		const place = placeAt(series, t.window.from);
		if (place < series.count && series.timeNs[place] < t.window.to) {
			select(t, row, place);
			return true;
		}
	}
	return false;
}

function step(t: Timeline, by: 1 | -1): boolean {
	const at = selected(t);
	if (at === null) return selectAny(t);
	const { series } = trackFor(t, at.row.threads);
	const place = at.place + by;
	if (place >= 0 && place < series.count) select(t, at.row, place);
	return true;
}

/** To the sample at the same time (or nearest to it) in the track above or below. */
function stepTrack(t: Timeline, by: 1 | -1): boolean {
	const at = selected(t);
	if (at === null) return selectAny(t);
	const rows = trackRows(t);
	const next = rows[rows.indexOf(at.row) + by];
	if (next === undefined) return true;
	const time = trackFor(t, at.row.threads).series.timeNs[at.place];
	const { series } = trackFor(t, next.threads);
	const after = Math.min(series.count - 1, placeAt(series, time));
	const nearer =
		after > 0 && time - series.timeNs[after - 1] < Math.abs(series.timeNs[after] - time);
	select(t, next, nearer ? after - 1 : after);
	return true;
}

/** By a share of the window. */
function pan(t: Timeline, share: number): boolean {
	return panBy(t, (t.window.to - t.window.from) * share);
}

function panBy(t: Timeline, byNs: number): boolean {
	t.show(panWindow(t.window, byNs, t.capture.durationNs));
	return true;
}

/** Leaves, in this order: a drag, the wish to compare, the range to compare with, a range. */
function back(t: Timeline, key: string): boolean {
	if (cancelDrag(t)) return true;
	if (t.comparing) {
		t.comparing = false;
		t.redraw();
		return true;
	}
	if (popRange(t)) return true;
	if (key !== 'Escape') return false;
	if (t.app.state.compare !== null) {
		t.app.set({ compare: null }, 'step');
		return true;
	}
	if (t.app.state.sample === NONE) return false;
	t.app.set({ sample: NONE }, 'step');
	return true;
}

type Run = (t: Timeline) => boolean;
const always =
	(run: (t: Timeline) => void): Run =>
	(t) => {
		run(t);
		return true;
	};

/** Keys that go with the samples: only while the timeline has the focus. */
const HERE: Readonly<Record<string, Run>> = {
	ArrowLeft: (t) => step(t, -1),
	ArrowRight: (t) => step(t, 1),
	ArrowUp: (t) => stepTrack(t, -1),
	ArrowDown: (t) => stepTrack(t, 1),
	Home: (t) => panBy(t, -t.capture.durationNs),
	End: (t) => panBy(t, t.capture.durationNs),
};

const ANYWHERE: Readonly<Record<string, Run>> = {
	'+': always((t) => zoomBy(t, 2)),
	'=': always((t) => zoomBy(t, 2)),
	'-': always((t) => zoomBy(t, 0.5)),
	'0': always(showWhole),
	w: always((t) => zoomBy(t, 1.5)),
	s: always((t) => zoomBy(t, 1 / 1.5)),
	a: (t) => pan(t, -0.15),
	d: (t) => pan(t, 0.15),
	z: zoomToRange,
	Escape: (t) => back(t, 'Escape'),
	Backspace: (t) => back(t, 'Backspace'),
};

/** True if the key was used. */
export function pressKey(t: Timeline, event: KeyboardEvent): boolean {
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	const here = t.dom.root.contains(document.activeElement);
	const run = (here ? HERE[event.key] : undefined) ?? ANYWHERE[event.key];
	return run?.(t) ?? false;
}

export const HELP: readonly (readonly [string, string])[] = [
	['click', 'select a sample: what others have in common with it lights up in all tracks'],
	['drag', 'select a range: all views show only what is in it; ranges nest'],
	['shift + drag', 'select a range to compare with'],
	['ctrl + wheel, + -, w s', 'zoom the timeline'],
	['shift + wheel, a d', 'move along the timeline'],
	['double click', 'zoom in there'],
	['left, right', 'the sample before, the next sample (with the focus on the timeline)'],
	['up, down', 'the same time in the track above or below'],
	['Home, End', 'the beginning, the end'],
	['0', 'show the whole capture'],
	['z', 'zoom to the selected range'],
	['Esc, Backspace', 'back to the range before'],
	['right click', 'menu of a track: hide it, show only it, make it taller'],
];
