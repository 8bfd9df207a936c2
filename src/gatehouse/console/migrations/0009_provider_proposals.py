from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0008_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='proposal',
            name='issuer',
            field=models.CharField(blank=True, default='', max_length=255),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='proposal',
            name='subject',
            field=models.CharField(blank=True, default='', max_length=255),
            preserve_default=False,
        ),
    ]
