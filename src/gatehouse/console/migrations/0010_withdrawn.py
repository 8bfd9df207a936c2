from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0009_provider_proposals'),
    ]

    operations = [
        migrations.AlterField(
            model_name='arrival',
            name='state',
            field=models.CharField(choices=[('checking', 'Being checked'), ('checked', 'Checked, not sent'), ('deciding', 'Being decided'), ('done', 'Received'), ('refused', 'Refused whole'), ('withdrawn', 'Withdrawn'), ('failed', 'Interrupted; it will be taken up again')], default='checking', max_length=16),
        ),
    ]
