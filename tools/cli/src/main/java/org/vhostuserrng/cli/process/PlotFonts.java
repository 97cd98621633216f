package org.vhostuserrng.cli.process;

import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;

/** The fonts of the host, which plots need. Minimal containers have none. */
public final class PlotFonts {
    private static final int SIZE = 12;

    private PlotFonts() {}

    /**
     * Checks that text can be drawn, before the measurements whose plots would fail.
     *
     * @throws IOException if there is no font, with what to install
     */
    public static void require() throws IOException {
        Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        try {
            graphics.drawString(
                    "0",
                    0,
                    graphics.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, SIZE))
                            .getAscent());
        } catch (Error missing) {
            // java.desktop has no exception for this: it throws Error, InternalError or a LinkageError.
            throw new IOException("plots need a font: install fontconfig and fonts-dejavu-core", missing);
        } finally {
            graphics.dispose();
        }
    }
}
