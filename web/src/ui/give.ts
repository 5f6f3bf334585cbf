// SPDX-License-Identifier: MIT
/** Out of the page: files to save, texts to paste. */

/** Offers a file to save. */
export function offerFile(name: string, type: string, content: string | Blob): void {
	const blob = typeof content === 'string' ? new Blob([content], { type }) : content;
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = name;
	document.body.append(link);
	link.click();
	link.remove();
	// the browser reads it after the click
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The way of old: pages on disk may have no other. */
function copyBySelection(text: string): boolean {
	const box = document.createElement('textarea');
	const before = document.activeElement;
	box.value = text;
	box.className = 'unseen';
	document.body.append(box);
	box.select();
	const done = document.execCommand('copy');
	box.remove();
	if (before instanceof HTMLElement) before.focus();
	return done;
}

/** Rejects if the browser does not allow it. */
export async function putOnClipboard(text: string): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		if (!copyBySelection(text)) throw new Error('the browser does not let this page copy');
	}
}
