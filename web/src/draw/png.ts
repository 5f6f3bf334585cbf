// SPDX-License-Identifier: MIT
/** Pictures as PNG. */

/** What a canvas shows; rejects if the browser cannot. */
export function canvasToPng(canvas: HTMLCanvasElement): Promise<Blob> {
	return new Promise((resolve, reject) => {
		canvas.toBlob((blob) => {
			if (blob) resolve(blob);
			else reject(new Error('the browser cannot make a PNG of this size'));
		}, 'image/png');
	});
}

/** An SVG drawn onto a canvas of its own, `scale` pixels per unit; smaller if browsers need that. */
export async function drawSvg(svg: string, scale: number): Promise<HTMLCanvasElement> {
	const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
	try {
		const image = new Image();
		image.src = url;
		await image.decode();
		const most = 16000 / Math.max(image.width, image.height, 1);
		const canvas = document.createElement('canvas');
		canvas.width = Math.round(image.width * Math.min(scale, most));
		canvas.height = Math.round(image.height * Math.min(scale, most));
		canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
		return canvas;
	} finally {
		URL.revokeObjectURL(url);
	}
}
