"""The pages of the results."""

from django.urls import path

from web_server.candidates import (
    exports,
    image_views,
    list_views,
    samp,
    signed,
    sky_view,
    source_page,
    stamp_panels,
    views,
)

urlpatterns = [
    path("", image_views.home, name="home"),
    path("query/", list_views.query, name="query"),
    path("query/quickview/", list_views.quickview, name="quickview"),
    path("query/export.<slug:kind>", exports.export, name="export"),
    path("images/<int:image_id>/", image_views.image_page, name="image"),
    path("images/<int:image_id>/crossmatches/", list_views.image_crossmatches, name="crossmatches"),
    path("images/<int:image_id>/crossmatches/quickview/", list_views.quickview, name="quickview"),
    path("images/<int:image_id>/crossmatches/export.<slug:kind>", exports.export, name="export"),
    path("images/<int:image_id>/crossmatches/<int:row_id>/", source_page.source, name="source"),
    path("images/<int:image_id>/crossmatches/<int:row_id>/samp/", samp.samp_messages, name="samp"),
    path("images/<int:image_id>/crossmatches/<int:row_id>/sky/", sky_view.sky, name="sky"),
    path("signed/<str:token>/cutout.fits", signed.signed_file, name="signed_file"),
    path("signed/<str:token>/crossmatches.vot", signed.signed_table, name="signed_table"),
    path("objects/<int:object_id>/<int:image_id>/<str:survey>/", source_page.object_page, name="object"),
    path("products/<int:product_id>/", views.product, name="product"),
    path("products/<int:product_id>/panel.png", stamp_panels.panel, name="panel"),
]
