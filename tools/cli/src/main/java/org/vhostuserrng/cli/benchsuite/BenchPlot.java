package org.vhostuserrng.cli.benchsuite;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.knowm.xchart.internal.chartpart.Chart;

/**
 * A plot of the report.
 *
 * @param section section of the report that shows the plot
 * @param file file name without the directory
 */
record BenchPlot(BenchReportSection section, String file, String title, Chart<?, ?> chart) {
    static final int WIDTH = 900;
    static final int HEIGHT = 420;

    private static final Pattern EXTRA_DECIMALS = Pattern.compile("(\\d\\.\\d)\\d+");

    /** Writes the plot as SVG into a directory. */
    void draw(Path directory) throws IOException {
        VectorGraphics2D graphics = new VectorGraphics2D();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, WIDTH, HEIGHT);
        chart.paint(graphics, WIDTH, HEIGHT);
        ByteArrayOutputStream svg = new ByteArrayOutputStream();
        Processors.get("svg")
                .getDocument(graphics.getCommands(), new PageSize(WIDTH, HEIGHT))
                .writeTo(svg);
        Files.writeString(directory.resolve(file), roundCoordinates(svg.toString(StandardCharsets.UTF_8)));
    }

    /**
     * Truncates coordinates to tenths of a pixel. This halves the size of the file, which contains text as outlines.
     */
    static String roundCoordinates(String svg) {
        return EXTRA_DECIMALS.matcher(svg).replaceAll("$1");
    }
}
