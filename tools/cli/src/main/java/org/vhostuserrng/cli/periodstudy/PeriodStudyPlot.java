package org.vhostuserrng.cli.periodstudy;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A plot of several series: one chart below the other, with the same axes. The same code paints the SVG and the PNG.
 */
final class PeriodStudyPlot {
    private static final int WIDTH = 1000;
    private static final int CHART_HEIGHT = 230;
    private static final int TITLE_HEIGHT = 44;
    /** Pixels of the PNG per unit of the SVG. */
    private static final int PNG_SCALE = 2;

    private static final int TICK_SPACING = 60;

    static final List<Color> COLORS = List.of(new Color(0xc0392b), new Color(0xd68910), new Color(0x1f77b4));

    private final String title;
    private final List<GuestThroughputSeries> all;
    private final double peakMegabytes;

    PeriodStudyPlot(String title, List<GuestThroughputSeries> all) {
        this.title = title;
        this.all = all;
        this.peakMegabytes = all.stream()
                .mapToDouble(GuestThroughputSeries::peakMegabytes)
                .max()
                .orElse(1);
    }

    private int height() {
        return TITLE_HEIGHT + all.size() * CHART_HEIGHT;
    }

    void svg(Path file) throws IOException {
        VectorGraphics2D graphics = new VectorGraphics2D();
        paint(graphics);
        try (OutputStream out = Files.newOutputStream(file)) {
            Processors.get("svg")
                    .getDocument(graphics.getCommands(), new PageSize(WIDTH, height()))
                    .writeTo(out);
        }
    }

    void png(Path file) throws IOException {
        BufferedImage image = new BufferedImage(PNG_SCALE * WIDTH, PNG_SCALE * height(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.scale(PNG_SCALE, PNG_SCALE);
        paint(graphics);
        graphics.dispose();
        // Given a path, ImageIO would encode it with the locale's charset; given a stream, it would write a copy to
        // /tmp.
        try (OutputStream out = Files.newOutputStream(file);
                ImageOutputStream buffered = new MemoryCacheImageOutputStream(out)) {
            if (!ImageIO.write(image, "png", buffered)) {
                throw new IOException("this Java runtime cannot write PNG files");
            }
        }
    }

    private void paint(Graphics2D graphics) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, WIDTH, height());
        graphics.setColor(Color.BLACK);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        graphics.drawString(title, 20, 28);
        AffineTransform page = graphics.getTransform();
        for (int i = 0; i < all.size(); i++) {
            graphics.translate(0, TITLE_HEIGHT + i * CHART_HEIGHT);
            chart(all.get(i), COLORS.get(i % COLORS.size())).paint(graphics, WIDTH, CHART_HEIGHT);
            graphics.setTransform(page);
        }
    }

    private XYChart chart(GuestThroughputSeries series, Color color) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(CHART_HEIGHT)
                .theme(ChartTheme.XChart)
                .title(caption(series))
                .xAxisTitle("seconds since the first byte")
                .yAxisTitle("MB in 100 ms")
                .build();
        chart.getStyler().setLegendVisible(false);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setPlotBorderVisible(false);
        chart.getStyler().setChartTitleBoxVisible(false);
        chart.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        chart.getStyler().setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        chart.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setXAxisMax((double) series.bytes().size() / GuestThroughputSeries.INTERVALS_PER_SECOND);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setYAxisMax(peakMegabytes * 1.05);
        chart.getStyler().setPlotContentSize(1);
        chart.getStyler().setXAxisTickMarkSpacingHint(TICK_SPACING);
        XYSeries line = chart.addSeries(series.name(), series.seconds(), series.megabytes());
        line.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.StepArea);
        line.setMarker(SeriesMarkers.NONE);
        line.setLineColor(color);
        line.setLineWidth(1.2f);
        line.setFillColor(new Color(color.getRed(), color.getGreen(), color.getBlue(), 96));
        return chart;
    }

    private static String caption(GuestThroughputSeries series) {
        return String.format(
                Locale.ROOT,
                "%s: %.1f MB/s on average, peak %.1f MB in 100 ms, idle %.0f %% of the time",
                series.name(),
                series.megabytesPerSecond(),
                series.peakMegabytes(),
                100 * series.idleShare());
    }
}
