// SPDX-License-Identifier: MIT
/**
 * Tracks as pixels. Columns are written straight into an image: it costs the same whatever is in
 * the samples, where boxes drawn one by one would not. All lengths are device pixels.
 *
 * A column of one sample is its stack, the root at the bottom. A column of more shows their mix: as
 * high as their mean depth, by the share of each kind; paler above it, up to the deepest.
 */
import type { Range } from '../app/state.js';
import {
	columnPlaces,
	KINDS,
	type Layer,
	type LayerMix,
	layerIn,
	makeMix,
	mixIn,
	type Series,
} from '../model/pyramid.js';
import { mixColours, rgbOf, type Theme } from '../ui/colours.js';
import { endOf, type Track } from './timeline_series.js';

export interface Pixels {
	readonly data: Uint32Array; // little-endian ABGR, as the bytes of ImageData
	readonly width: number;
	readonly height: number;
}

const enum Look {
	Plain = 0,
	Common = 1, // base in common with the selected sample
	Near = 2, // with the sample below the pointer; or some of a column with the selected one
	Lit = 3, // the function below the pointer
	Above = 4, // what it calls
}

const enum Tone {
	Full = 0,
	Edge = 1, // of a frame's box
	Pale = 2, // above the mean
}

const LOOKS = 5;
const TONES = 3;

export type Palette = Uint32Array; // by kind, look, tone

/** By Kind. */
export function kindColours(theme: Theme): string[] {
	const s = theme.states;
	return [s.gilHeld, s.running, s.gc, s.gilWait, s.runnable, s.waiting, s.unknown, s.lost];
}

/** Of the range that is compared with; style/timeline.css says the same. */
export function compareColour(theme: Theme): string {
	return theme.dark ? '#4fd1c1' : '#0f8a7e';
}

function pixelOf(colour: string): number {
	const [r, g, b] = rgbOf(colour);
	return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
}

export function makePalette(theme: Theme): Palette {
	const palette = new Uint32Array(KINDS * LOOKS * TONES);
	kindColours(theme).forEach((colour, kind) => {
		const looks = [
			colour,
			mixColours(colour, theme.common, 0.8),
			mixColours(colour, theme.common, 0.45),
			mixColours(colour, theme.match, 0.85),
			mixColours(colour, theme.match, 0.32),
		];
		looks.forEach((look, i) => {
			const at = (kind * LOOKS + i) * TONES;
			palette[at + Tone.Full] = pixelOf(look);
			palette[at + Tone.Edge] = pixelOf(
				mixColours(look, theme.dark ? '#000000' : theme.text, 0.25),
			);
			palette[at + Tone.Pale] = pixelOf(mixColours(look, theme.back, 0.72));
		});
	});
	return palette;
}

/** What is lit up in a track, each null if nothing is. */
export interface Lights {
	readonly common: Layer | null; // with the selected sample
	readonly near: Layer | null; // with the sample below the pointer
	readonly lit: Layer | null; // depth of the outermost call of the function below the pointer
}

/** Where and how a track is painted. */
export interface Stripe {
	readonly left: number; // of column 0 of the window
	readonly width: number;
	readonly bottom: number; // y below its lowest pixel; may be beyond the picture
	readonly height: number;
	readonly frame: number; // height of a frame
	readonly window: Range;
	readonly periodNs: number;
	readonly lossesNs: Float64Array;
}

interface Brush {
	readonly pixels: Pixels;
	readonly stripe: Stripe;
	readonly track: Track;
	readonly lights: Lights;
	readonly palette: Palette;
	readonly ends: Float64Array; // of the kinds of a mixed column, upwards
	readonly span: number; // pixels that a column is wide
}

const mix = makeMix();
const layerMix: LayerMix = { greatest: 0, sum: 0, hits: 0 };
const MANY_COLUMNS = 1900;
let places = new Uint32Array(4097);

export function paintTrack(
	pixels: Pixels,
	stripe: Stripe,
	track: Track,
	lights: Lights,
	palette: Palette,
): void {
	const { window } = stripe;
	const span = spanOf(stripe, track);
	const width = Math.ceil(stripe.width / span);
	if (places.length <= width) places = new Uint32Array(width * 2);
	const brush = { pixels, stripe, track, lights, palette, ends: new Float64Array(KINDS), span };
	const step = ((window.to - window.from) * span) / stripe.width;
	columnPlaces(track.series, window.from, window.from + step * width, width, places);
	const crowded = track.series.many && step < stripe.periodNs;
	let shown = -1;
	for (let x = 0; x < width; x++) {
		let from = places[x];
		const to = places[x + 1];
		const at = window.from + x * step;
		if (crowded) from = firstOfTick(track, to, at + step - stripe.periodNs);
		if (to - from > 1) {
			paintMix(brush, x, from, to);
			shown = -1;
			continue;
		}
		const place = to > from ? from : to - 1;
		const lasts = to > from || (place >= 0 && endOf(track.series, place, stripe.periodNs) > at);
		if (lasts) paintSample(brush, x, place, place !== shown);
		else if (place >= 0 && to < track.series.count) paintLost(brush, x, place);
		shown = place;
	}
}

/** Mixed columns of a very wide picture are more than a pixel wide: half the work for the same look. */
function spanOf(stripe: Stripe, track: Track): number {
	const { window, width, periodNs } = stripe;
	if (width < MANY_COLUMNS || track.series.count < width) return 1;
	const samples = (window.to - window.from) / periodNs;
	return samples < 2 * width ? 1 : Math.ceil(width / MANY_COLUMNS);
}

/** Of a track of many threads: the first place that is not older than a tick. */
function firstOfTick(track: Track, to: number, sinceNs: number): number {
	const { timeNs } = track.series;
	let from = to;
	while (from > 0 && timeNs[from - 1] > sinceNs) from--;
	return from;
}

function shade(brush: Brush, kind: number, look: Look, tone: Tone): number {
	return brush.palette[(kind * LOOKS + look) * TONES + tone];
}

/** Pixels [low, high) above the bottom of a column. */
function fill(brush: Brush, x: number, low: number, high: number, colour: number): void {
	const { pixels, stripe } = brush;
	const { data, width, height } = pixels;
	const from = Math.max(0, stripe.bottom - Math.min(high, stripe.height));
	const to = Math.min(height, stripe.bottom - low);
	const left = stripe.left + x * brush.span;
	const wide = Math.min(brush.span, stripe.left + stripe.width - left);
	for (let y = from, at = from * width + left; y < to; y++, at += width) {
		data[at] = colour;
		for (let i = 1; i < wide; i++) data[at + i] = colour;
	}
}

const ROOM_FOR_EDGES = 5;

function paintSample(brush: Brush, x: number, place: number, first: boolean): void {
	const { series, pyramid } = brush.track;
	const { frame } = brush.stripe;
	const depth = pyramid.deepest[0][place];
	const kind = series.kind[place];
	const top = Math.max(1, Math.round(depth * frame));
	const { common, near, lit } = brush.lights;
	const base = common === null ? 0 : Math.round(common.greatest[0][place] * frame);
	const nearer = Math.max(base, near === null ? 0 : Math.round(near.greatest[0][place] * frame));
	const outer = lit === null ? 0 : lit.greatest[0][place];
	const litFrom = outer === 0 ? top : Math.round((outer - 1) * frame);
	const tone = first && x > 0 && wide(brush) ? Tone.Edge : Tone.Full;
	fill(brush, x, 0, Math.min(base, litFrom), shade(brush, kind, Look.Common, tone));
	fill(brush, x, base, Math.min(nearer, litFrom), shade(brush, kind, Look.Near, tone));
	fill(brush, x, nearer, Math.min(top, litFrom), shade(brush, kind, Look.Plain, tone));
	const litTo = Math.min(top, litFrom + litHeight(frame));
	fill(brush, x, litFrom, litTo, shade(brush, kind, Look.Lit, tone));
	fill(brush, x, litTo, top, shade(brush, kind, Look.Above, tone));
	if (top > brush.stripe.height) cutTop(brush, x, kind);
	if (frame < ROOM_FOR_EDGES || tone === Tone.Edge) return;
	for (let f = 1; f <= depth; f++) {
		const y = Math.round(f * frame) - 1;
		const rest = y < base ? Look.Common : y < nearer ? Look.Near : Look.Plain;
		const look = y >= litTo ? Look.Above : y >= litFrom ? Look.Lit : rest;
		fill(brush, x, y, y + 1, shade(brush, kind, look, Tone.Edge));
	}
}

/** Says that a stack goes on above the top of the track. */
function cutTop(brush: Brush, x: number, kind: number): void {
	const { height } = brush.stripe;
	fill(brush, x, height - 2, height, shade(brush, kind, Look.Plain, Tone.Edge));
}

/** A function that is lit up can be seen however flat the frames are. */
function litHeight(frame: number): number {
	return Math.max(3, Math.round(frame));
}

/** Whether samples are wide enough to have an edge. */
function wide(brush: Brush): boolean {
	const { window, width, periodNs } = brush.stripe;
	return (periodNs * width) / (window.to - window.from) >= 4;
}

function paintMix(brush: Brush, x: number, from: number, to: number): void {
	const { series, pyramid } = brush.track;
	const { frame } = brush.stripe;
	const { common, near, lit } = brush.lights;
	mixIn(series, pyramid, from, to, mix);
	if (mix.weight <= 0) return;
	const scale = frame / mix.weight;
	const top = Math.max(1, Math.round(mix.deepest * frame));
	stackKinds(brush, Math.max(1, Math.round(mix.depthSum * scale)));
	let base = 0;
	let nearer = 0;
	if (common !== null) {
		layerIn(common, from, to, layerMix);
		base = Math.round(layerMix.sum * scale);
		nearer = Math.round(layerMix.greatest * frame);
	}
	if (near !== null) {
		layerIn(near, from, to, layerMix);
		nearer = Math.max(nearer, base, Math.round(layerMix.sum * scale));
	}
	fillMix(brush, x, 0, base, Look.Common);
	fillMix(brush, x, base, nearer, Look.Near);
	fillMix(brush, x, Math.max(base, nearer), top, Look.Plain);
	if (lit === null) return;
	layerIn(lit, from, to, layerMix);
	if (layerMix.hits <= 0) return;
	const low = Math.round((layerMix.sum / layerMix.hits - 1) * frame);
	const share = layerMix.hits / mix.weight;
	const high = low + Math.max(1, Math.round(share * (mix.depthSum * scale - low)));
	const litTo = Math.min(top, low + litHeight(frame));
	fillMix(brush, x, low, litTo, Look.Lit);
	fillMix(brush, x, litTo, Math.min(top, high), Look.Above);
}

/** Where the kinds of a mixed column end, above each other, up to `top`. */
function stackKinds(brush: Brush, top: number): void {
	let sum = 0;
	for (let k = 0; k < KINDS; k++) {
		sum += Math.max(0, mix.weights[k]);
		brush.ends[k] = Math.round((top * sum) / mix.weight);
	}
}

function fillMix(brush: Brush, x: number, low: number, high: number, look: Look): void {
	let at = low;
	let most = 0;
	for (let k = 0; k < KINDS && at < high; k++) {
		if (mix.weights[k] > mix.weights[most]) most = k;
		const end = Math.min(high, brush.ends[k]);
		if (end <= at) continue;
		fill(brush, x, at, end, shade(brush, k, look, Tone.Full));
		at = end;
	}
	if (at < high) fill(brush, x, at, high, shade(brush, most, look, Tone.Pale));
}

/** Nothing was sampled: a low mark if ticks were lost there. */
function paintLost(brush: Brush, x: number, place: number): void {
	if (!lostAfter(brush.track.series, place, brush.stripe.lossesNs)) return;
	fill(brush, x, 0, 3, shade(brush, 7, Look.Plain, Tone.Full));
}

/** Losses are told when samples are written, which is about once a second: this much too late. */
const TOLD_LATE_NS = 1.5e9;

/** Whether ticks were lost between a sample, which is not the last one, and the next one. */
export function lostAfter(series: Series, place: number, lossesNs: Float64Array): boolean {
	const { timeNs } = series;
	return anyIn(lossesNs, timeNs[place], timeNs[place + 1] + TOLD_LATE_NS);
}

function anyIn(sorted: Float64Array, from: number, to: number): boolean {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (sorted[middle] < from) low = middle + 1;
		else high = middle;
	}
	return low < sorted.length && sorted[low] <= to;
}
