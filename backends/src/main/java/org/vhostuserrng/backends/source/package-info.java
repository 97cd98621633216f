/**
 * The interface between a guest's virtqueue and an entropy source, and the sources that combine other sources.
 *
 * <p>An {@link org.vhostuserrng.backends.source.EntropySourceSpec} is a parsed {@code --source} expression.
 * {@link org.vhostuserrng.backends.source.SourceRegistry} opens it as an
 * {@link org.vhostuserrng.backends.source.EntropySource}, which never blocks.
 *
 * <p>Threading: all types are confined to the event loop's thread, except for the {@code onReadable} callback, which
 * any thread may call, and FileReadPositions.
 *
 * <p>Depends on {@code sys} only; every package except {@code sys}, {@code health} and {@code limiter} depends on it.
 */
package org.vhostuserrng.backends.source;
